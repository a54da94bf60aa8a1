"""From the answers of briefly trained students to their quality at full data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.economics.quality_forecast import Measure, Prior, QualityForecast, Uncorrected
from coffey.stats.power_law import FLAT, ExponentPrior, Extrapolation, Law, extrapolate, fit_law

TRAINING_NOISE = 0.05
"""Standard deviation of a student's error between trainings that differ in the seed alone, over the error.

Seen: 0.045 and 0.050, over five seeds each of a student of 1M on 302 and 604 questions of TREC.
"""

CONFIDENCE = 0.8


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """The error of each training, in the units of one measure, on the same rows."""

    measure: Measure
    rows: tuple[int, ...]
    """Trained on, by training."""
    errors: npt.NDArray[np.float64]
    """[trainings]."""
    covariance: npt.NDArray[np.float64]
    """[trainings, trainings], of drawing the measured rows."""
    most: float
    """Quality is this minus the error: 1 for agreement, 1 / teacher's accuracy for retention."""
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
        measure="agreement",
        rows=tuple(rows),
        errors=errors,
        covariance=_covariance(wrong - errors[:, None]),
        most=1.0,
        examples=len(teacher),
        chance=_chance(teacher),
    )


def lost_retention(
    rows: Sequence[int],
    students: npt.NDArray[np.integer],
    teacher: npt.NDArray[np.integer],
    hard: npt.NDArray[np.integer],
) -> Measured | None:
    """Student's error over the teacher's accuracy, on rows with a hard label.

    Retention is 1 / teacher's accuracy minus that. Its covariance is that of a ratio of paired shares, by
    linearization (delta method).

    Args:
        rows: trained on, by training.
        students: labels [trainings, measured].
        teacher: labels [measured].
        hard: labels [measured], -1 where there is none.

    Returns:
        None when no row has a label, or the teacher is right on none.
    """
    known = hard >= 0
    right = (students[:, known] == hard[known]).astype(np.float64)
    reference = (teacher[known] == hard[known]).astype(np.float64)
    if not reference.any():
        return None
    accuracy = reference.mean()
    retention = right.mean(axis=1) / accuracy
    covariance = _covariance((right - retention[:, None] * reference) / accuracy)
    return Measured(
        measure="retention",
        rows=tuple(rows),
        errors=1 / accuracy - retention,
        covariance=covariance,
        most=float(1 / accuracy),
        examples=int(known.sum()),
        chance=_chance(hard[known]) / float(accuracy),
    )


def best_law(measured: Measured) -> Law | None:
    """The law that is nearest to the points, for drawing; None with fewer than three."""
    if len(measured.rows) < 3:
        return None
    trained = measured.covariance + np.diag((TRAINING_NOISE * measured.errors) ** 2)
    return fit_law(measured.rows, measured.errors.tolist(), trained, chance=measured.chance)


def foresee(
    measured: Measured, *, rows: int, prior: Prior, holdout_rows: int | None, note: str
) -> QualityForecast:
    """Quality after training on `rows` rows, with the interval that the points and earlier runs leave.

    Args:
        measured: errors of the pilot's trainings.
        rows: of the full training.
        prior: of the same measure.
        holdout_rows: examples that the actual value will be measured on: their sampling error is then part
            of the interval. None for the quality itself.
        note: what the forecast is built on.
    """
    sampling = _sampling(measured, holdout_rows)
    flat, laws = _extrapolate(measured, FLAT), _extrapolate(measured, prior.exponent)
    now, doubled = (laws.error(n, confidence=CONFIDENCE, sampling=sampling) for n in (rows, 2 * rows))
    exponent, exponent_sd = flat.exponent_estimate()
    law = Uncorrected(
        value=measured.most - now.value,
        low=measured.most - now.high,
        high=measured.most - now.low,
        exponent=exponent,
        exponent_sd=exponent_sd,
    )
    value, low, high = prior.correct(law, most=measured.most)
    return QualityForecast(
        measure=measured.measure,
        value=value,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        rows=rows,
        points=len(measured.rows),
        doubled=min(measured.most, value + now.value - doubled.value),
        note=note,
        uncorrected=law,
    )


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


def _covariance(deviations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of the means of centred rows [trainings, m]; one more error either way is always possible."""
    count = deviations.shape[1]
    covariance: npt.NDArray[np.float64] = (
        deviations @ deviations.T / count**2 + np.eye(len(deviations)) / count**2
    )
    return covariance
