"""What quality a student is expected to reach, and what earlier runs say of such expectations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Literal

import msgspec

from coffey.core.records import JsonObject
from coffey.economics.calibration import PRIOR_RUNS
from coffey.stats.power_law import FLAT, ExponentPrior

Measure = Literal["retention", "agreement"]

_BETWEEN_TASKS = 0.1
"""Spread of the exponent between tasks, at least: Hestness et al. 2017 measured 0.07 to 0.35."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncorrected:
    """What the power law says before the bias of earlier runs corrects it: what the next prior is made of."""

    value: float
    low: float
    high: float
    exponent: float
    """Of the law, as the points alone say, and how sure they are of it."""
    exponent_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityForecast:
    """One figure of quality at full data, with its interval, before that training was paid for."""

    measure: Measure
    value: float
    low: float
    high: float
    confidence: float = 0.8
    rows: int
    """Rows that the full training learns from."""
    points: int
    """Trainings that the forecast is built on."""
    doubled: float
    """The value with twice the rows."""
    note: str = ""
    """What it was built on, for people."""
    uncorrected: Uncorrected | None = None
    """None where no pilot made it: such a forecast teaches the next one nothing."""

    def to_json(self) -> JsonObject:
        """Plain values, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: JsonObject) -> QualityForecast:
        """What `to_json` wrote.

        Raises:
            ValueError: a field is missing or is not what it should be.
        """
        return msgspec.convert(values, cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a pilot's points had said, and what the finished student showed on the holdout."""

    measure: Measure
    foreseen: Uncorrected
    confidence: float
    """Of the interval in `foreseen`."""
    actual: float

    @classmethod
    def of(cls, forecast: QualityForecast, actual: float) -> Reached | None:
        """The pair; None for a forecast that no pilot made."""
        before = forecast.uncorrected
        if before is None:
            return None
        return cls(measure=forecast.measure, foreseen=before, confidence=forecast.confidence, actual=actual)

    @property
    def bias(self) -> float:
        """Actual minus foreseen: above 0, the run did better."""
        return self.actual - self.foreseen.value

    def surprise(self, shift: float) -> float:
        """How many standard deviations the actual value is from the foreseen one, shifted by `shift`."""
        off, law = self.bias - shift, self.foreseen
        side = law.high - law.value if off > 0 else law.value - law.low
        return off * _z(self.confidence) / side if side else 0.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What the reconciled forecasts of one measure say of the next one.

    A pilot trains less than a run does: no chain, fewer rows to stop early on. What that does to quality is
    the bias, which only finished runs can tell. The mean bias shifts a forecast; the surprises that are left
    widen its interval, or narrow it when actual values kept falling near the middle. `PRIOR_RUNS` runs are
    imagined that went as foreseen: after as many real ones the record weighs half.

    >>> Prior(()).shift, Prior(()).scale
    (0.0, 1.0)
    """

    runs: tuple[Reached, ...] = ()

    @classmethod
    def of(cls, measure: Measure, runs: Sequence[Reached]) -> Prior:
        """The prior from those runs that forecast this measure."""
        return cls(tuple(run for run in runs if run.measure == measure))

    @property
    def shift(self) -> float:
        """Added to what the law says: the mean bias, drawn to 0 by the imagined runs."""
        return math.fsum(run.bias for run in self.runs) / (PRIOR_RUNS + len(self.runs))

    @property
    def scale(self) -> float:
        """Factor on the half-widths of the law's interval: the root mean square of the surprises."""
        shift = self.shift
        squares = math.fsum(run.surprise(shift) ** 2 for run in self.runs)
        return math.sqrt((PRIOR_RUNS + squares) / (PRIOR_RUNS + len(self.runs)))

    @property
    def exponent(self) -> ExponentPrior:
        """The exponents of earlier forecasts, each as sure as its points were; flat without any.

        The mean is weighed by precision, with the spread between tasks added to each run's own and to the
        prediction (a random-effects mean; DerSimonian and Laird 1986, with the larger of the stated and the
        seen spread).
        """
        if not self.runs:
            return FLAT
        found = [(run.foreseen.exponent, run.foreseen.exponent_sd) for run in self.runs]
        spread = _spread([mean for mean, _ in found])
        weights = [1 / (sd**2 + spread**2) for _, sd in found]
        total = math.fsum(weights)
        mean = math.fsum(w * value for w, (value, _) in zip(weights, found, strict=True)) / total
        return ExponentPrior(mean=mean, sd=math.hypot(spread, 1 / math.sqrt(total)))

    def correct(self, law: Uncorrected, *, most: float) -> tuple[float, float, float]:
        """Value, low and high, shifted and rescaled.

        Args:
            law: what the power law says.
            most: the value of a student without an error, which nothing exceeds; 1 for agreement.
        """
        middle, scale = law.value + self.shift, self.scale
        below, above = scale * (law.value - law.low), scale * (law.high - law.value)
        value, low, high = (min(most, max(0.0, at)) for at in (middle, middle - below, middle + above))
        return value, low, high


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return _BETWEEN_TASKS
    mean = math.fsum(values) / len(values)
    return max(_BETWEEN_TASKS, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)))


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
