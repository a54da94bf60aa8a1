"""How often the students of a pilot differ from the teacher, and how sure the measured rows are of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """How often each training's student differs from the teacher, on the same rows."""

    rows: tuple[int, ...]
    """Trained on, by training, the most last."""
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
        covariance=_mean_covariance(wrong - errors[:, None]),
        examples=len(teacher),
        chance=_chance(teacher),
    )


def _mean_covariance(deviations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of the means of centred rows [trainings, m]; one more error either way is always possible."""
    count = deviations.shape[1]
    covariance: npt.NDArray[np.float64] = (
        deviations @ deviations.T / count**2 + np.eye(len(deviations)) / count**2
    )
    return covariance


def _chance(labels: npt.NDArray[np.integer]) -> float:
    """Share of the rows without the most frequent label, and half a row, so that it is above 0."""
    return 1 - (int(np.bincount(labels).max()) - 0.5) / len(labels)
