"""From the answers of briefly trained students to their quality at full data."""

from __future__ import annotations

import numpy as np

from coffey.core.records import Interval
from coffey.economics.quality_forecast import Prior, QualityForecast, Uncorrected
from coffey.probe.disagreement import Measured
from coffey.probe.lost_and_won import JudgedOn, LostAndWon
from coffey.stats.power_law import FLAT, LEVELS, ExponentPrior, Extrapolation, Law, extrapolate, fit_law

TRAINING_NOISE = 0.05
"""Standard deviation of a student's error between trainings that differ in the seed alone, over the error.

Seen: 0.045 and 0.050, over five seeds each of a student of 1M on 302 and 604 questions of TREC.
"""

CONFIDENCE = 0.8


def best_law(measured: Measured) -> Law | None:
    """The law that is nearest to the points, for drawing; None with fewer than three."""
    if len(measured.rows) < 3:
        return None
    trained = measured.covariance + np.diag((TRAINING_NOISE * measured.errors) ** 2)
    return fit_law(measured.rows, measured.errors.tolist(), trained, chance=measured.chance)


def foresee(
    measured: Measured | LostAndWon, *, rows: int, prior: Prior, holdout: JudgedOn | None, note: str
) -> QualityForecast:
    """Quality after training on `rows` rows, with the interval that the points and earlier runs leave.

    Agreement is 1 minus the disagreement that the law foresees; retention follows from what is lost.

    Args:
        measured: of the pilot's trainings: disagreements, to foresee agreement; what they lost and won, to
            foresee retention.
        rows: of the full training.
        prior: of the same measure.
        holdout: what the actual value will be measured on: its sampling error is then part of the interval.
            None for the quality itself.
        note: what the forecast is built on.
    """
    split = measured if isinstance(measured, LostAndWon) else None
    errors = measured.lost if isinstance(measured, LostAndWon) else measured
    laws = _extrapolate(errors, prior.exponent)
    now, doubled = (_quality(measured, laws, n, holdout) for n in (rows, 2 * rows))
    exponent, exponent_sd = _extrapolate(errors, FLAT).exponent_estimate()
    law = Uncorrected(value=now.value, low=now.low, high=now.high, exponent=exponent, exponent_sd=exponent_sd)
    most = _most(split, holdout) if split else 1.0
    value, low, high = prior.correct(law, most=most)
    return QualityForecast(
        measure="retention" if split else "agreement",
        value=value,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        rows=rows,
        points=len(errors.rows),
        doubled=min(most, value + doubled.value - now.value),
        note=note,
        uncorrected=law,
    )


def _quality(
    measured: Measured | LostAndWon, laws: Extrapolation, rows: int, holdout: JudgedOn | None
) -> Interval:
    if isinstance(measured, LostAndWon):
        lost = laws.quantiles(rows, LEVELS)
        return measured.retention(lost, rows=rows, confidence=CONFIDENCE, holdout=holdout)
    differs = laws.error(rows, confidence=CONFIDENCE, sampling=_sampling(measured, holdout))
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


def _most(split: LostAndWon, holdout: JudgedOn | None) -> float:
    """The retention of a student without an error."""
    return 1 / (holdout.accuracy if holdout and holdout.accuracy else split.accuracy)


def _sampling(measured: Measured, holdout: JudgedOn | None) -> float:
    """Variance of one holdout's estimate, over the error; as seen at the largest training."""
    if holdout is None:
        return 0.0
    each = measured.examples * float(measured.covariance[-1, -1])
    return each / max(float(measured.errors[-1]), 1 / measured.examples) / holdout.rows
