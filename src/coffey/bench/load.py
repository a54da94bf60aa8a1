"""A student under load: through the server where there is one, else in process."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from coffey.bench.arrivals import poisson_arrivals
from coffey.bench.http import Target, closed_http, open_http, predict_bodies
from coffey.bench.machine import usable_cores
from coffey.bench.open import time_open
from coffey.bench.options import BenchOptions
from coffey.bench.server_process import ServerProcess, serve_command
from coffey.bench.slo import RateWithin, highest_rate
from coffey.bench.subject import Subject
from coffey.bench.summary import Times
from coffey.core.records import Latency
from coffey.traffic.ledger import Ledger

_TRIAL_SHARE = 0.2
"""Of the measuring time, for one rate."""

_FEWEST = 200
"""Requests of a trial, so that its p99 is not its maximum; a slow model gets the whole measuring time."""

_HALF = 0.5
"""Where a search for the highest rate starts, as a share of what one caller alone gets answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What a student did under load."""

    closed: Latency
    """One caller, one request at a time."""
    rate: RateWithin
    client_lag_p99_ms: float = 0.0
    resident_bytes: int | None = None
    """Memory of the server's process after the load; None in process, or where the system does not say."""
    ledger: Ledger | None = None
    """Where the time of the closed loop's requests went; None in process."""


def load_in_process(
    student: Subject, closed: Latency, texts: Sequence[str], options: BenchOptions
) -> LoadResult:
    """Arrivals that wait in a queue for one thread; `closed` is what one caller alone met."""
    singles = [[text] for text in texts]

    def trial(arrivals_s: Times) -> Latency:
        return time_open(student.call, singles, arrivals_s, subject=student.name)

    return LoadResult(closed=closed, rate=_search(trial, closed, options))


def load_through_server(student: Subject, texts: Sequence[str], options: BenchOptions) -> LoadResult:
    """Serve the student and ask it over loopback: one caller alone, then Poisson arrivals.

    Raises:
        NotReady: the server did not start.
        ServeError: the client could not reach it.
    """
    server_core, client_core = _cores()
    lags: list[float] = []
    with ServerProcess(_command(student, options), core=server_core) as server:
        target = _target(student, server, texts, client_core)
        before = server.ledger()
        closed = closed_http(target, seconds=options.seconds).latency
        ledger = server.ledger().since(before)

        def trial(arrivals_s: Times) -> Latency:
            found = open_http(target, arrivals_s)
            lags.append(found.client_lag_p99_ms)
            return found.latency

        rate = _search(trial, closed, options)
        held = server.resident_bytes()
    return LoadResult(
        closed=closed, rate=rate, client_lag_p99_ms=max(lags), resident_bytes=held, ledger=ledger
    )


def single_through_server(subject: Subject, texts: Sequence[str], options: BenchOptions) -> Latency:
    """One caller, one request at a time, through a server of the subject's artifact.

    Raises:
        NotReady: the server did not start.
        ServeError: the client could not reach it.
    """
    server_core, client_core = _cores()
    with ServerProcess(_command(subject, options), core=server_core) as server:
        target = _target(subject, server, texts, client_core)
        return closed_http(target, seconds=options.seconds).latency


def _search(trial: Callable[[Times], Latency], closed: Latency, options: BenchOptions) -> RateWithin:
    rng = np.random.default_rng(options.seed)

    def at(rate: float) -> Latency:
        seconds = min(options.seconds, max(_TRIAL_SHARE * options.seconds, _FEWEST / rate))
        return trial(poisson_arrivals(rate, seconds, rng))

    start = _HALF * 1000.0 / closed.mean_ms
    return highest_rate(at, latency_p99_ms=options.latency_p99_ms, start_rps=start, trials=options.trials)


def _target(subject: Subject, server: ServerProcess, texts: Sequence[str], core: int | None) -> Target:
    return Target(
        host=server.host, port=server.port, bodies=predict_bodies(texts), subject=subject.name, core=core
    )


def _command(subject: Subject, options: BenchOptions) -> Sequence[str]:
    assert subject.artifact is not None
    return [*serve_command(subject.artifact), *options.serve_arguments]


def _cores() -> tuple[int | None, int | None]:
    """A core for the server and another for the client; None leaves it to the system."""
    cores = usable_cores()
    return (cores[0], cores[1]) if len(cores) > 1 and hasattr(os, "sched_setaffinity") else (None, None)
