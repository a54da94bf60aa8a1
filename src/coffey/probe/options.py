"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    """Sizes and times of a probe; the defaults take a minute or two for three small encoders on two cores."""

    texts: int = 256
    """Asked of the teacher in batches; as many at most are its bill."""
    again: int = 64
    """Asked a second time, for the teacher's agreement with itself."""
    seconds: float = 3.0
    """For each timing, at most."""
    within: float = 0.02
    """A timing ends sooner once its median is known to this share of itself."""
    int8_teacher: bool = True
    """Whether a teacher whose network can be taken out is exported, as fp32 and as int8."""
    serve: bool = True
    """Whether candidates are served, asked over loopback, and brought to their highest rate."""
    load_seconds: float = 4.0
    """For each load on a served candidate (`BenchOptions.seconds`)."""
    trials: int = 8
    """Rates that are tried, at most."""
    threads: int = 1
    """ONNX Runtime threads."""
    seed: int = 17


QUICK = ProbeOptions(seconds=1.0, within=0.03, serve=False)
"""Everything in process: a few seconds a candidate."""
