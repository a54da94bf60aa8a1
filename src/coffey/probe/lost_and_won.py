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


@dataclass(frozen=True, slots=True)
class JudgedOn:
    """The rows that the finished student's quality will be measured on."""

    rows: int
    accuracy: float | None = None
    """Of the teacher on these rows; None where it has not answered them, or they have no hard labels."""


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
        self, lost: Sequence[float], *, rows: int, confidence: float, holdout: JudgedOn | None
    ) -> Interval:
        """Median and central interval of the retention, paired on one holdout.

        Args:
            lost: equally likely values of what a student loses after training on `rows`.
            rows: trained on.
            confidence: probability that the interval holds the retention.
            holdout: that it will be measured on; None for the retention itself.
        """
        doublings = max(0.0, math.log2(rows / self.lost.rows[-1]))
        shares = np.outer(lost, np.exp(LAW_SPREAD * doublings * _STEPS)).ravel()
        known = None if holdout is None else holdout.accuracy
        accuracy = self.accuracy if known is None else known
        middles = 1 - shares + self.won * (1 - accuracy) / accuracy
        variances = self._variance(np.clip(shares, 0.0, 1.0), accuracy, holdout)
        values = middles[:, None] + np.sqrt(variances)[:, None] * _STEPS
        tail = (1 - confidence) / 2
        held = np.clip(values, 0.0, 1 / accuracy)
        low, middle, high = (float(end) for end in np.quantile(held, (tail, 0.5, 1 - tail)))
        return Interval(middle, low, high, confidence, "power-law")

    def _variance(
        self, lost: npt.NDArray[np.float64], accuracy: float, holdout: JudgedOn | None
    ) -> npt.NDArray[np.float64]:
        """Of the retention, given what is lost in truth, by propagation of errors.

        The share won is an estimate. On a holdout, what is lost and won there are shares of the rows that the
        teacher gets right and wrong. Where its accuracy there is not known, both the estimate and the holdout
        vary around the true one.
        """
        won, odds = self.won, (1 - accuracy) / accuracy
        of_won, of_lost = odds**2 * won * (1 - won), lost * (1 - lost)
        of_accuracy = accuracy * (1 - accuracy) * (won / accuracy**2) ** 2
        variance: npt.NDArray[np.float64] = np.full_like(lost, of_won / ((1 - self.accuracy) * self.rows + 1))
        if holdout is None or holdout.accuracy is None:
            variance += of_accuracy / self.rows
        if holdout is not None:
            variance += of_lost / (accuracy * holdout.rows) + of_won / ((1 - accuracy) * holdout.rows + 1)
            variance += of_accuracy / holdout.rows if holdout.accuracy is None else 0.0
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
