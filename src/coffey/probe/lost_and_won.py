"""What a student loses where its teacher is right and wins where it is wrong, and the retention of both.

With t the teacher's accuracy, `lost` the student's error on the rows that the teacher gets right, and `won`
its accuracy on the rows that the teacher gets wrong,

    retention = accuracy of the student / t = 1 - lost + won x (1 - t) / t.

The two are told apart because more rows move the one and hardly the other. What is lost falls as a power law,
and is extrapolated as one. What is won comes of the hard labels in the loss, and of answering otherwise at
all: from a pilot's trainings to four times their rows it stayed where it was, so it is carried over as it is.
That is why a disagreement costs less the fewer there are: those that are left are where the teacher is wrong.

The student's error as a whole is not extrapolated: most of it is the teacher's, which no number of rows
removes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval
from coffey.probe.disagreement import Measured, disagreement
from coffey.stats.power_law import LEVELS

LAW_SPREAD = 0.1
"""Standard deviation of ln(actual / foreseen) of what is lost, a doubling of the rows beyond the largest
training, on top of what the points leave open: a power law is not quite the truth.

Of 0, 0.05, 0.1, 0.15 and 0.2 the most likely after 12 runs (six data sets, 2,500 and 4,000 rows, each run
foreseen from trainings on an eighth and a quarter of its rows): the 80 % intervals held 11 of the 12, and 4
of the 4 runs that came after. What a project's own runs show widens or narrows the interval (`Prior.scale`).
"""

_STEPS = np.asarray([NormalDist().inv_cdf(level) for level in LEVELS])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LostAndWon:
    """What the pilot's students lost and won against the teacher, on measured rows with a hard label."""

    lost: Measured
    """On the rows that the teacher gets right."""
    won: float
    """Share of the rows that the teacher gets wrong which the students get right: mean of the trainings."""
    accuracy: float
    """Of the teacher."""
    rows: int

    def retention(
        self, lost: Sequence[float], *, rows: int, confidence: float, holdout_rows: int | None
    ) -> Interval:
        """Median and central interval of the retention, paired on one holdout.

        Args:
            lost: equally likely values of what a student loses after training on `rows`.
            rows: trained on.
            confidence: probability that the interval holds the retention.
            holdout_rows: that it will be measured on; None for the retention itself.
        """
        doublings = max(0.0, math.log2(rows / self.lost.rows[-1]))
        shares = np.outer(lost, np.exp(LAW_SPREAD * doublings * _STEPS)).ravel()
        middles = 1 - shares + self.won * (1 - self.accuracy) / self.accuracy
        variances = self._variance() + (self._sampling(shares, middles) / holdout_rows if holdout_rows else 0)
        values = middles[:, None] + np.sqrt(variances)[..., None] * _STEPS
        tail = (1 - confidence) / 2
        held = np.clip(values, 0.0, 1 / self.accuracy)
        low, middle, high = (float(end) for end in np.quantile(held, (tail, 0.5, 1 - tail)))
        return Interval(middle, low, high, confidence, "power-law")

    def _variance(self) -> float:
        """Of the retention, given what is lost: the share won and the teacher's accuracy are estimates."""
        accuracy, won = self.accuracy, self.won
        of_won = won * (1 - won) / ((1 - accuracy) * self.rows + 1) * ((1 - accuracy) / accuracy) ** 2
        of_accuracy = accuracy * (1 - accuracy) / self.rows * (won / accuracy**2) ** 2
        return of_won + of_accuracy

    def _sampling(
        self, lost: npt.NDArray[np.float64], retention: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Variance of the retention on one holdout, times its rows: that of a ratio of paired means.

        With s and t whether student and teacher are right on a row, it is the mean of (s - retention x t)^2
        over the square of the teacher's accuracy (Cochran 1977, Sampling Techniques, section 2.11).
        """
        accuracy = self.accuracy
        both, only_teacher, only_student = (
            accuracy * (1 - lost),
            accuracy * lost,
            (1 - accuracy) * self.won,
        )
        squares = both * (1 - retention) ** 2 + only_teacher * retention**2 + only_student
        variance: npt.NDArray[np.float64] = np.maximum(squares, 0.0) / accuracy**2
        return variance


def lost_and_won(
    rows: Sequence[int],
    students: npt.NDArray[np.integer],
    teacher: npt.NDArray[np.integer],
    hard: npt.NDArray[np.integer],
) -> LostAndWon | None:
    """What the trainings show.

    Args:
        rows: trained on, by training, the most last.
        students: labels [trainings, measured].
        teacher: labels [measured].
        hard: labels [measured], -1 where there is none.

    Returns:
        None when no row has a label, or the teacher is right on none.
    """
    known = hard >= 0
    right, wrong = known & (teacher == hard), known & (teacher != hard)
    if not right.any():
        return None
    mended = float((students[:, wrong] == hard[wrong]).mean(axis=0).sum())
    return LostAndWon(
        lost=disagreement(rows, students[:, right], teacher[right]),
        won=(mended + 0.5) / (int(wrong.sum()) + 1),
        accuracy=float(right.sum() / known.sum()),
        rows=int(known.sum()),
    )
