"""From the answers of briefly trained students to their quality at full data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval
from coffey.economics.quality_forecast import Prior, QualityForecast, Uncorrected
from coffey.probe.disagreement_price import Price, mean_covariance
from coffey.stats.power_law import FLAT, LEVELS, ExponentPrior, Extrapolation, Law, extrapolate, fit_law

TRAINING_NOISE = 0.05
"""Standard deviation of a student's error between trainings that differ in the seed alone, over the error.

Seen: 0.045 and 0.050, over five seeds each of a student of 1M on 302 and 604 questions of TREC.
"""

CONFIDENCE = 0.8


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """How often each training's student differs from the teacher, on the same rows."""

    rows: tuple[int, ...]
    """Trained on, by training."""
    errors: npt.NDArray[np.float64]
    """[trainings]."""
    covariance: npt.NDArray[np.float64]
    """[trainings, trainings], of drawing the measured rows."""
    examples: int
    chance: float
    """Error of always giving the most frequent label."""


def disagreement(
    rows: Sequence[int], students: npt.NDArray[np.integer], teacher: npt.NDArray[np.integer]
) -> Measured:
    """Share of rows on which student and teacher differ.

    Args:
        rows: trained on, by training.
        students: labels [trainings, measured].
        teacher: labels [measured].
    """
    wrong = (students != teacher).astype(np.float64)
    errors = wrong.mean(axis=1)
    return Measured(
        rows=tuple(rows),
        errors=errors,
        covariance=mean_covariance(wrong - errors[:, None]),
        examples=len(teacher),
        chance=_chance(teacher),
    )


def best_law(measured: Measured) -> Law | None:
    """The law that is nearest to the points, for drawing; None with fewer than three."""
    if len(measured.rows) < 3:
        return None
    trained = measured.covariance + np.diag((TRAINING_NOISE * measured.errors) ** 2)
    return fit_law(measured.rows, measured.errors.tolist(), trained, chance=measured.chance)


def foresee(
    measured: Measured,
    price: Price | None = None,
    *,
    rows: int,
    prior: Prior,
    holdout_rows: int | None,
    note: str,
) -> QualityForecast:
    """Quality after training on `rows` rows, with the interval that the points and earlier runs leave.

    Agreement is 1 minus the disagreement that the law foresees; retention is what `price` makes of it.

    Args:
        measured: disagreements of the pilot's trainings.
        price: what a disagreement costs: with it retention is foreseen, without it agreement.
        rows: of the full training.
        prior: of the same measure.
        holdout_rows: examples that the actual value will be measured on: their sampling error is then part
            of the interval. None for the quality itself.
        note: what the forecast is built on.
    """
    laws = _extrapolate(measured, prior.exponent)
    now, doubled = (_quality(measured, laws, price, n, holdout_rows) for n in (rows, 2 * rows))
    exponent, exponent_sd = _extrapolate(measured, FLAT).exponent_estimate()
    law = Uncorrected(value=now.value, low=now.low, high=now.high, exponent=exponent, exponent_sd=exponent_sd)
    most = 1.0 if price is None else 1 / price.accuracy
    value, low, high = prior.correct(law, most=most)
    return QualityForecast(
        measure="agreement" if price is None else "retention",
        value=value,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        rows=rows,
        points=len(measured.rows),
        doubled=min(most, value + doubled.value - now.value),
        note=note,
        uncorrected=law,
    )


def _quality(
    measured: Measured, laws: Extrapolation, price: Price | None, rows: int, holdout_rows: int | None
) -> Interval:
    if price is not None:
        disagreements = laws.quantiles(rows, LEVELS)
        return price.retention(disagreements, confidence=CONFIDENCE, holdout_rows=holdout_rows)
    differs = laws.error(rows, confidence=CONFIDENCE, sampling=_sampling(measured, holdout_rows))
    return Interval(1 - differs.value, 1 - differs.high, 1 - differs.low, CONFIDENCE, differs.method)


def _extrapolate(measured: Measured, prior: ExponentPrior) -> Extrapolation:
    return extrapolate(
        measured.rows,
        measured.errors.tolist(),
        measured.covariance,
        noise=TRAINING_NOISE,
        prior=prior,
        chance=measured.chance,
    )


def _sampling(measured: Measured, holdout_rows: int | None) -> float:
    """Variance of one holdout's estimate, over the error; as seen at the largest training."""
    if not holdout_rows:
        return 0.0
    each = measured.examples * float(measured.covariance[-1, -1])
    return each / max(float(measured.errors[-1]), 1 / measured.examples) / holdout_rows


def _chance(labels: npt.NDArray[np.integer]) -> float:
    """Share of the rows without the most frequent label, and half a row, so that it is above 0."""
    return 1 - (int(np.bincount(labels).max()) - 0.5) / len(labels)
