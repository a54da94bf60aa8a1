"""Which of two is better, by differences that are zero wherever both answer alike; valid at every moment."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval
from coffey.stats.confidence_sequence import log_capital, log_factors, lowest_mean

Vector = npt.NDArray[np.float64]

FRACTIONS: Vector = ((np.arange(20) + 0.5) / 20) ** 2
"""Shares of the largest possible bet. Where one wins a share p of what differs, the best one is 2 p - 1. From
p = 0.55 to 0.9 these need 12 to 35 % fewer differences, in simulation, than the grid of
`confidence_sequence`, which also serves means near 0 and 1."""

Outcome = tuple[float, float, float]
"""A difference, its weight, and how often that was seen."""


class Verdict(enum.Enum):
    """What a comparison has shown so far of the one that wants the place, against the one that has it."""

    BETTER = "better"
    """Better by more than the margin."""
    NOT_BETTER = "not better"
    """Not better by the margin: there is nothing to win. With a margin of 0 it is worse."""
    NO_WORSE = "no worse"
    """Neither of these yet, but not worse by more than what is tolerated."""
    NOT_YET = "not yet"
    """None of these yet."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two students on the same requests, the teacher being asked only where they answered differently."""

    verdict: Verdict
    requests: int
    """That both answered."""
    differing: float
    """Share of them on which the answers differ."""
    asked: int
    """Texts that the teacher was asked about, all of them differing ones."""
    won: int
    lost: int
    """Of those asked, where the teacher sides with one more than with the other; the rest are ties."""
    gain: Interval
    """Mean difference over all requests, the agreeing ones counted as 0; holds at every moment at once."""


class PairedSequence:
    """Evidence about the mean of differences x in [-1, 1], such as the score of one minus that of another.

    Null hypothesis for a margin m: over the requests, x has at most the mean m. With weights w in (0, 1] (the
    requests that x stands for, over the most that any does) the mean money of those who bet against it is

        K(m) = mean over θ of Π (1 + θ · w · (x - m) / (1 + m)),      θ in (0, 1)

    Under the null each factor has an expectation of at most 1 and none is negative, so P(K ever reaches 1/α)
    <= α (Ville; betting of Waudby-Smith and Ramdas 2024, here on (1 + x) / 2). Whenever and however often it
    is looked at, "better" is said falsely in at most a share α of all comparisons.

    *Where two answers are the same, x is 0 whatever is right.* With m = 0 such a request has the factor 1:
    nobody need be asked about it. That leaves a sequential sign test on the differing ones, McNemar's.

    Only counts of distinct (x, w) pairs are kept.

    >>> sequence = PairedSequence(error_rate=0.025)
    >>> sequence.extend([(0.0, 1.0, 900), (1.0, 1.0, 14), (-1.0, 1.0, 1)])
    >>> sequence.is_over(0.0), sequence.is_under(0.0)
    (True, False)
    """

    def __init__(self, *, error_rate: float) -> None:
        """Start without evidence; `error_rate` is α of either direction.

        Raises:
            ValueError: it is not strictly between 0 and 0.5.
        """
        if not 0 < error_rate < 0.5:
            raise ValueError(f"error_rate = {error_rate!r}: expected a number between 0 and 0.5")
        self.error_rate = error_rate
        self._pairs: dict[tuple[float, float], float] = {}

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What was taken in; `extend` with it makes an equal sequence."""
        return tuple((x, weight, times) for (x, weight), times in sorted(self._pairs.items()))

    def update(self, difference: float, weight: float = 1.0, times: float = 1.0) -> None:
        """Take in a difference as often as it was seen; of the agreeing ones `times` may be a fraction.

        Raises:
            ValueError: a value is outside its range.
        """
        if not -1 <= difference <= 1:
            raise ValueError(f"difference = {difference!r}: expected a number from -1 to 1")
        if not 0 < weight <= 1:
            raise ValueError(f"weight = {weight!r}: expected a number above 0, up to 1")
        if not times >= 0:
            raise ValueError(f"times = {times!r}: expected at least 0")
        if times:
            self._pairs[difference, weight] = self._pairs.get((difference, weight), 0.0) + times

    def extend(self, outcomes: Iterable[Outcome]) -> None:
        """Take in several."""
        for difference, weight, times in outcomes:
            self.update(difference, weight, times)

    def log_evidence(self, margin: float = 0.0, *, sign: int = 1) -> float:
        """Natural logarithm of K: that the mean is over `margin`; with `sign` -1, that minus it is."""
        if not self._pairs:
            return 0.0
        score, weight, count = self._scores(sign)
        return float(log_capital(count @ log_factors(score, weight, (1 + margin) / 2, FRACTIONS)))

    def is_over(self, margin: float) -> bool:
        """Whether the mean is shown to be over `margin`."""
        return self.log_evidence(margin) >= self._bar

    def is_under(self, margin: float) -> bool:
        """Whether the mean is shown to be under `margin`."""
        return self.log_evidence(-margin, sign=-1) >= self._bar

    def interval(self) -> Interval:
        """The weighted mean so far, and what neither side has excluded; 0 in [-1, 1] without a difference."""
        confidence = 1 - 2 * self.error_rate
        if not self._pairs:
            return Interval(0.0, -1.0, 1.0, confidence, "betting")
        score, weight, count = self._scores(1)
        low = 2 * lowest_mean(score, weight, count, self._bar, FRACTIONS) - 1
        high = 1 - 2 * lowest_mean(1 - score, weight, count, self._bar, FRACTIONS)
        value = 2 * float(score @ (weight * count) / (weight @ count)) - 1
        return Interval(min(high, max(low, value)), low, high, confidence, "betting")

    @property
    def _bar(self) -> float:
        return math.log(1 / self.error_rate)

    def _scores(self, sign: int) -> tuple[Vector, Vector, Vector]:
        """Differences as scores in [0, 1], their weights and counts."""
        difference, weight = np.array(list(self._pairs)).T
        return (1 + sign * difference) / 2, weight, np.array(list(self._pairs.values()), dtype=np.float64)
