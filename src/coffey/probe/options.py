"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """Sizes and times of a probe; the defaults take well under a minute for a small encoder on two cores."""

    texts: int = 256
    """Asked of the teacher in batches; as many at most are its bill."""
    again: int = 64
    """Asked a second time, for the teacher's agreement with itself."""
    seconds: float = 1.0
    """For each timing."""
    int8_teacher: bool = True
    """Whether a teacher whose network can be taken out is exported, as fp32 and as int8."""
    threads: int = 1
    """ONNX Runtime threads."""
    seed: int = 17
