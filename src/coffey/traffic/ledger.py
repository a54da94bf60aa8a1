"""Where the time of a request goes: seconds of each step, added up over all requests.

Sums, not percentiles: the steps of a request add up to the request, so that the ledger balances. A step costs
one look at the clock and one addition, so that it is always on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

METRIC = "coffey_step_seconds"
STEPS = {
    "accept": "from the packet to the start of the answer: HTTP, checks, waiting for the event loop",
    "parse": "body to texts",
    "queue": "waiting for a run",
    "tokenize": "texts to token ids, of the whole batch",
    "run": "the model, of the whole batch",
    "write": "probabilities to the bytes of the answer, on the socket",
    "log": "traffic record, metrics; after the answer is out",
}
"""The steps in their order, and what each takes in. Metadata and health requests are not among them."""


@dataclass(slots=True, eq=False)
class Steps:
    """Seconds of each step, of `requests` requests that were answered with 200."""

    requests: int = 0
    accept: float = 0.0
    parse: float = 0.0
    queue: float = 0.0
    tokenize: float = 0.0
    run: float = 0.0
    write: float = 0.0
    log: float = 0.0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a server's steps took so far."""

    requests: int
    seconds: Mapping[str, float]
    """By the names of `STEPS`."""

    def since(self, before: Ledger) -> Ledger:
        """What was added after `before`."""
        added = {step: total - before.seconds.get(step, 0.0) for step, total in self.seconds.items()}
        return Ledger(self.requests - before.requests, added)

    def mean_us(self) -> dict[str, float]:
        """Microseconds of each step in the mean request; all 0 without a request."""
        return {step: 1e6 * total / max(1, self.requests) for step, total in self.seconds.items()}


def read_ledger(metrics: str) -> Ledger:
    """The ledger in the text of `GET /metrics`; of all workers together.

    >>> lines = ['coffey_step_seconds_sum{step="run"} 0.5', 'coffey_step_seconds_count{step="run"} 100', ""]
    >>> read_ledger(chr(10).join(["# TYPE coffey_step_seconds summary", *lines])).mean_us()["run"]
    5000.0
    """
    from prometheus_client.parser import text_string_to_metric_families

    seconds = dict.fromkeys(STEPS, 0.0)
    requests = dict.fromkeys(STEPS, 0)
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples if family.name == METRIC else ():
            step = sample.labels["step"]
            if sample.name.endswith("_sum"):
                seconds[step] += sample.value
            else:
                requests[step] += int(sample.value)
    return Ledger(max(requests.values()), seconds)
