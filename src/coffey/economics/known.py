"""What is known of a project besides its settings."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.core.records import Figure
from coffey.economics.probe_result import ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Counts and measurements that a plan stands on."""

    rows: int
    """Inputs that the teacher will be asked."""
    probe: ProbeResult | None = None
    teacher_params: int | None = None
    compare: bool = False
    """Whether the control arms are trained too."""
    student_rps: Figure | None = None
    """Highest rate within the latency promise, where `bench` has measured it."""
