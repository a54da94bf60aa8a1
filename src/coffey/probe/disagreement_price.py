"""What a disagreement with the teacher costs in right answers, and the retention that follows from it.

A student and its teacher lose and win against each other only where they differ. With t the teacher's
accuracy and D the share of rows on which they differ,

    retention = accuracy of the student / t = 1 - D x price / t,
    price = P(teacher right | they differ) - P(student right | they differ).

Retention therefore goes to 1 as the student learns to answer as its teacher does, whatever the teacher gets
wrong. Only D is extrapolated by a power law. The error of the student itself is not: most of it is the
teacher's, which no number of rows removes, and a law fitted to it runs past 1.

A disagreement costs less the fewer there are: the last ones are on inputs of which the teacher is unsure. So
the price follows `price(D) = price(D_last) x (D / D_last) ^ thinning`, with thinning from 0 (every
disagreement costs the same) to 1 (its cost falls with their share), weighed by how well each explains the
trainings (weighted least squares of the paired net losses, price(D_last) integrated out with a flat prior).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval
from coffey.stats.power_law import LEVELS, weighted_quantiles

Vector = npt.NDArray[np.float64]

_THINNING = np.linspace(0.0, 1.0, 5)

_STEPS = np.asarray([NormalDist().inv_cdf(level) for level in LEVELS])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Price:
    """Net right answers that a disagreement costs; arrays have one entry for each thinning."""

    accuracy: float
    """Of the teacher, above 0."""
    reference: float
    """Disagreement of the last training."""
    level: Vector
    """Price at the reference: in [-1, 1]; below 0 where students are right more often than the teacher."""
    level_sd: Vector
    weight: Vector
    """Sums to 1."""
    decided: float
    """Share of the disagreements of which one of the two is right."""

    def retention(
        self, disagreements: Sequence[float], *, confidence: float, holdout_rows: int | None
    ) -> Interval:
        """Median and central interval of the retention, paired on one holdout.

        Args:
            disagreements: equally likely values of the true share on which the two differ.
            confidence: probability that the interval holds the retention.
            holdout_rows: that it will be measured on; None for the retention itself.
        """
        differs = np.asarray(disagreements)[:, None]
        factor = differs * (differs / self.reference) ** _THINNING
        lost = self.level * factor
        sampled = differs * self.decided / holdout_rows if holdout_rows else 0.0
        spread = np.sqrt((self.level_sd * factor) ** 2 + sampled)
        values = 1 - (lost[..., None] + spread[..., None] * _STEPS) / self.accuracy
        weights = np.broadcast_to(self.weight[None, :, None], values.shape)
        tail = (1 - confidence) / 2
        held = np.clip(values, 0.0, 1 / self.accuracy).ravel()
        low, middle, high = weighted_quantiles(held, weights.ravel(), (tail, 0.5, 1 - tail))
        return Interval(middle, low, high, confidence, "power-law")


def price_disagreement(
    students: npt.NDArray[np.integer], teacher: npt.NDArray[np.integer], hard: npt.NDArray[np.integer]
) -> Price | None:
    """The price as the pilot's trainings show it, on rows with a hard label.

    Args:
        students: labels [trainings, measured], the last training's last.
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
    differs = (students[:, known] != teacher[known]).astype(np.float64)
    lost = reference - right
    share = np.maximum(differs.mean(axis=1), 0.5 / lost.shape[1])
    mean = lost.mean(axis=1)
    precision = np.linalg.inv(mean_covariance(lost - (mean / share)[:, None] * differs))
    shapes = share * (share / share[-1]) ** _THINNING[:, None]
    information = np.einsum("ci,ij,cj->c", shapes, precision, shapes)
    level = shapes @ precision @ mean / information
    missed = mean - level[:, None] * shapes
    squares = np.einsum("ci,ij,cj->c", missed, precision, missed)
    weight = np.exp(-0.5 * (squares - squares.min())) / np.sqrt(information)
    return Price(
        accuracy=float(reference.mean()),
        reference=float(share[-1]),
        level=np.clip(level, -1.0, 1.0),
        level_sd=1 / np.sqrt(information),
        weight=weight / weight.sum(),
        decided=float((np.abs(lost).sum() + 0.5) / (differs.sum() + 1)),
    )


def mean_covariance(deviations: Vector) -> Vector:
    """Of the means of centred rows [trainings, m]; one more error either way is always possible."""
    count = deviations.shape[1]
    covariance: Vector = deviations @ deviations.T / count**2 + np.eye(len(deviations)) / count**2
    return covariance
