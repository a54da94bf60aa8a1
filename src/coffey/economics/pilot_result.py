"""What a pilot measured and foresees, as the plan reads it."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.core.records import Interval
from coffey.economics.quality_forecast import QualityForecast
from coffey.stats.power_law import Law


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotPoint:
    """One short training, measured on rows that it did not see."""

    rows: int
    """Trained on."""
    measured: int
    """Rows that the quality was measured on."""
    agreement: Interval
    accuracy: Interval | None = None
    retention: Interval | None = None
    seconds: float
    """Of training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotResult:
    """One candidate: its points, and its quality at full data."""

    name: str
    """The stage's text, as in `chain.stages`."""
    shape: str
    params: int
    points: tuple[PilotPoint, ...]
    agreement: QualityForecast
    retention: QualityForecast | None = None
    """None where no measured row has a hard label, or the teacher is right on none of them."""
    law: Law | None = None
    """Disagreement as a function of rows, for drawing; None with fewer than three points."""
    seconds: float
    """Of training, all points together."""
    asked: int
    """Rows whose teacher answer the pilot needed, for all candidates together; most may be cached."""
    complete: bool = True
    """False when `seconds` ran out before the largest training."""
