"""What the server counts, and how Prometheus reads it.

On the path of a request this is a bisection and three additions; names, labels and text are made when
`/metrics` is read. Used from the event loop's thread only.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from coffey.serve.board import Board, merge
from coffey.serve.dataplane import DataPlane
from coffey.serve.swap import Follower, Models
from coffey.traffic.ledger import STEPS, Steps

SECONDS = tuple(round(step * 10.0**power, 6) for power in (-5, -4, -3, -2, -1, 0) for step in (1, 2.5, 5))[2:]
"""Bounds from 50 microseconds to 5 seconds: a small model answers in a tenth of a millisecond."""
SHOW_SECONDS = 1.0
"""How often a worker shows the others its metrics."""
INPUTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class Histogram:
    """Counts of values by their upper bound.

    >>> histogram = Histogram((1.0, 2.0))
    >>> for value in (0.5, 1.0, 7.0): histogram.observe(value)
    >>> histogram.buckets()
    [('1.0', 2), ('2.0', 2), ('+Inf', 3)]
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, int]]:
        """Upper bounds with the count of values at or below each."""
        total, buckets = 0, []
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        return buckets


@dataclass(slots=True)
class Measurements:
    """The figures that requests and runs leave behind."""

    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    """Requests by route and status."""
    seconds: dict[str, Histogram] = field(default_factory=dict)
    """Latency by route, of requests that were answered with 200."""
    run_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    run_inputs: Histogram = field(default_factory=lambda: Histogram(INPUTS))
    steps: Steps = field(default_factory=Steps)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        key = (route, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        if status == 200:
            histogram = self.seconds.get(route)
            if histogram is None:
                histogram = self.seconds[route] = Histogram(SECONDS)
            histogram.observe(seconds)

    def run(self, texts: int, seconds: float) -> None:
        """Count one run of the model."""
        self.run_inputs.observe(texts)
        self.run_seconds.observe(seconds)


class ServerCollector(Collector):
    """Shows the measurements, the log, the queue and the model to Prometheus."""

    def __init__(
        self, measurements: Measurements, plane: DataPlane, models: Models, follower: Follower
    ) -> None:
        self._measurements = measurements
        self._plane = plane
        self._models = models
        self._follower = follower

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        yield from self._requests()
        yield from self._traffic()
        yield from self._model()

    def _requests(self) -> Iterator[Metric]:
        seen = self._measurements
        requests = CounterMetricFamily(
            "coffey_requests", "Requests by route and status.", labels=("route", "status")
        )
        for (route, status), count in seen.requests.items():
            requests.add_metric((route, str(status)), count)
        yield requests
        latency = HistogramMetricFamily(
            "coffey_request_seconds",
            "From the packet with the headers to the answer on the socket, for status 200.",
            labels=("route",),
        )
        for route, histogram in seen.seconds.items():
            latency.add_metric((route,), histogram.buckets(), histogram.sum)
        yield latency
        yield _ledger(seen.steps)
        yield _histogram("coffey_run_seconds", "Tokenizing and computing one batch.", seen.run_seconds)
        yield _histogram("coffey_run_inputs", "Texts in one batch.", seen.run_inputs)
        batcher = self._plane.batcher
        yield _gauge("coffey_queue_inputs", "Texts that wait for a batch.", batcher.queued)
        expected = "Seconds that a new request is expected to wait for its run."
        yield _gauge("coffey_queue_seconds", expected, batcher.expected_wait_s())

    def _traffic(self) -> Iterator[Metric]:
        yield _counter("coffey_answered", "Texts answered.", self._plane.answered)
        yield _counter("coffey_audits_chosen", "Texts chosen for audit.", self._plane.audits)
        if self._plane.log is None:
            return
        log = self._plane.log.counters()
        yield _counter("coffey_traffic_served", "Records given to the traffic log.", log.served)
        yield _counter("coffey_traffic_logged", "Records written to segments.", log.logged)
        yield _counter("coffey_traffic_dropped", "Records lost.", log.dropped)
        yield _gauge("coffey_traffic_pending", "Records that wait for the writer.", log.pending)
        yield _counter("coffey_traffic_write_failures", "Writes that failed and were repeated.", log.failures)

    def _model(self) -> Iterator[Metric]:
        ready = self._models.current is not None and not self._plane.closing
        yield _gauge("coffey_ready", "1 when predictions are answered.", ready)
        info = InfoMetricFamily("coffey_model", "The artifact that answers.")
        if self._models.current is not None:
            info.add_metric((), {"digest": self._models.current.digest})
        yield info
        yield _counter("coffey_swaps", "Changes of the model without a restart.", self._follower.swaps)
        yield _counter(
            "coffey_swap_failures",
            "New models that could not be loaded or were refused; the old one stayed.",
            self._follower.failures,
        )


class Metrics:
    """The registry of one server, and its text; with a board, the text of all workers."""

    def __init__(
        self, collectors: Iterable[Collector], *, board: Board | None = None, place: int = 0
    ) -> None:
        self._board = board
        self._place = place
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        for collector in collectors:
            self._registry.register(collector)

    def text(self) -> bytes:
        """The Prometheus text format, version 0.0.4. Other workers' figures are up to a second old."""
        own = generate_latest(self._registry)
        board = self._board
        if board is None:
            return own
        board.write(self._place, own)
        supervisor = board.places - 1
        texts = {str(place): board.read(place) for place in range(supervisor)}
        return merge({**texts, str(self._place): own, "": board.read(supervisor)})

    async def show(self) -> None:
        """Write on the board every second, until cancelled; returns at once without one."""
        while self._board is not None:
            self._board.write(self._place, generate_latest(self._registry))
            await asyncio.sleep(SHOW_SECONDS)


def restarts_text(count: int) -> bytes:
    """What the supervisor of several workers counts, in the same format."""
    registry = CollectorRegistry()
    restarts = Counter(
        "coffey_worker_restarts", "Workers that died and were started anew.", registry=registry
    )
    restarts.inc(count)
    lines = generate_latest(registry).splitlines(keepends=True)
    return b"".join(line for line in lines if b"_created" not in line)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(name, meaning, value=value)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _ledger(steps: Steps) -> Metric:
    family = SummaryMetricFamily("coffey_step_seconds", "Steps of answered requests.", labels=("step",))
    for step in STEPS:
        family.add_metric((step,), steps.requests, getattr(steps, step))
    return family


def _histogram(name: str, meaning: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(name, meaning, buckets=histogram.buckets(), sum_value=histogram.sum)
