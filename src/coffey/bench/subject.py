"""A model under test, however it is reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust
from coffey.bench.alternate import Rounds, alternate
from coffey.bench.closed import closed_times, warm_up
from coffey.bench.summary import Times, summarize
from coffey.core.clock import monotonic
from coffey.core.records import Latency

BATCH = 32
ROUNDS = 5

Call = Callable[[list[str]], object]
"""Answers texts; what it returns is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model with a name and what is known of its size."""

    name: str
    call: Call
    params: int | None = None
    artifact: Path | None = None
    """Where it can be served from; None for a plain function."""


def from_artifact(name: str, path: Path, *, trust: Trust, threads: int) -> Subject:
    """An artifact on the runtime that serves it.

    Raises:
        ArtifactError: it cannot be read or trusted.
    """
    predictor = Predictor.load(path, trust=trust, threads=threads)
    label = f"{name} {predictor.manifest.quantization.variant}"
    return Subject(name=label, call=predictor.predict, params=predictor.manifest.params, artifact=path)


def time_in_turns(subjects: Sequence[Subject], texts: Sequence[str], *, seconds: float) -> dict[str, Rounds]:
    """Closed loop, one text at a time, `seconds` for each subject, spread over rounds in turns."""
    singles = [[text] for text in texts]
    for subject in subjects:
        warm_up(subject.call, singles, min(20, len(singles)))
    return alternate(
        {one.name: _turn(one.call, singles, seconds / ROUNDS) for one in subjects}, rounds=ROUNDS
    )


def closed_latency(name: str, rounds: Rounds) -> Latency:
    """All rounds of a subject as one record."""
    times = rounds.pooled_s
    return summarize(times, subject=name, path="in-process", load="closed", elapsed_s=float(times.sum()))


def texts_per_s(call: Call, texts: Sequence[str], *, seconds: float) -> float:
    """Throughput in batches of 32, in the texts' order; at least one batch."""
    batches = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    call(batches[0])
    answered, begin = 0, monotonic()
    for turn in range(1_000_000):
        batch = batches[turn % len(batches)]
        call(batch)
        answered += len(batch)
        if monotonic() - begin >= seconds:
            break
    return answered / (monotonic() - begin)


def _turn(call: Call, singles: Sequence[list[str]], seconds: float) -> Callable[[], Times]:
    return lambda: closed_times(call, singles, seconds=seconds)
