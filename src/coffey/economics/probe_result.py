"""What a probe measured, as the plan reads it."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.core.records import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherProbe:
    """The teacher, asked a sample."""

    texts: int
    p50_ms: float
    """One text alone."""
    p99_ms: float
    texts_per_s: float
    """In batches of `batch_size`."""
    batch_size: int
    self_agreement: float
    """Share of the texts that got the same label when asked twice: the ceiling of any agreement."""
    usd_per_1k: float | None
    """Price of 1,000 answers asked in batches; None without a price."""
    params: int | None = None
    int8_speedup: float | None = None
    """How much faster int8 weights make it; None when that was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedProbe:
    """A candidate behind `coffey serve` on this machine, asked over loopback."""

    p50_ms: float
    """One caller, one request at a time."""
    p99_ms: float
    latency_p99_ms: float
    """The promise that the rate was searched for (`budget.latency_p99_ms`)."""
    max_rps: float
    """The highest rate at which it was kept; 0 when no rate kept it."""
    resident_bytes: int | None
    """Memory of the server's process; None where the system does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProbe:
    """One candidate, built untrained: speed and size do not depend on what it has learned."""

    name: str
    params: int
    params_without_embeddings: int
    size_bytes: int
    """Of the exported model file."""
    variant: str
    """Which export was timed, for example `int8`."""
    p50_ms: float
    p99_ms: float
    texts_per_s: float
    """In batches of 32."""
    step_s: float
    """One optimizer step."""
    step_batch_size: int
    served: ServedProbe | None = None
    """Through the real server; None when the probe was a quick one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """All that was measured before any money was spent."""

    machine: Machine
    teacher: TeacherProbe
    stages: tuple[StageProbe, ...]
    seconds: float
    """How long the measuring took."""
    noise_warning: str | None = None
    """Where the machine was too noisy for its tails to be trusted."""
