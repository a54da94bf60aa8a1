"""What is known of a project besides its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coffey.core.records import Figure
from coffey.economics.probe_result import ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Counts and measurements that a plan stands on."""

    rows: int
    """Inputs of the transfer set, which the teacher will be asked."""
    made_rows: int = 0
    """Inputs made of them, which it is asked too; they take the place of repeats in training."""
    holdout_rows: int = 0
    """Inputs of the holdout, which it is asked too."""
    probe: ProbeResult | None = None
    teacher_pace: Figure | None = None
    """Texts a second that the teacher has answered so far, where it was enough to tell."""
    teacher_params: int | None = None
    student_rps: Figure | None = None
    """Highest rate within the latency promise, where `bench` has measured it."""
    student_stage: str | None = None
    """The stage that `student_rps` was measured of; None is the chain's last."""
    quality_loss: Figure | None = None
    """Share of the requests that the student gets wrong and the teacher does not."""
    log_bytes_per_request: Figure | None = None
    """Where a traffic log has been measured."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Low and high value of figures, by their name in `PlanInputs`, that are known better, or worse, than
    others of their origin."""
