"""An interval for a mean that holds at every moment at once, by betting."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval

Vector = npt.NDArray[np.float64]

FRACTIONS: Vector = np.geomspace(1e-4, 0.99, 32)
"""Shares of the largest possible bet. The best one falls like 1/√n: the grid serves 10 to 10^7 scores."""

_HALVINGS = 40
"""Bisections for an end of the interval: an error under 10^-12, and outwards."""


class ConfidenceSequence:
    """Confidence sequence of the mean of scores in [0, 1]: P(it ever excludes the mean) <= 1 - confidence.

    For each candidate mean m, gamblers bet that the true mean is higher, others that it is lower (hedged
    betting with a fixed grid of bets, Waudby-Smith and Ramdas 2024, "dKelly"). With w = p_min / p in (0, 1],
    the mean money of those who bet on higher is

        K(m) = mean over θ of Π (1 + θ · w · (x - m) / m),     θ in (0, 1)

    and m is excluded from below while K(m) >= 2 / (1 - confidence); from above likewise with 1 - x and 1 - m.
    At the true mean over all requests each factor has the expectation 1, even where p depends on the input
    (shown in `EDetector`), so Ville's inequality gives the promise however often it is looked at.
    K falls in m and is at most 1 at the weighted mean, so what is kept is an interval around the value.

    Only counts of distinct (score, weight) pairs are kept: an update costs a dictionary entry, an interval
    about 80 evaluations over the distinct pairs. Assumes one mean for the whole sequence: after a change it
    is the interval of a mixture of both.

    >>> sequence = ConfidenceSequence()
    >>> sequence.extend([1.0, 1.0, 0.0, 1.0] * 250, [1.0] * 1000)
    >>> interval = sequence.interval()
    >>> interval.value, round(interval.low, 3), round(interval.high, 3)
    (0.75, 0.7, 0.796)
    """

    def __init__(self, confidence: float = 0.95) -> None:
        """Start with nothing excluded.

        Raises:
            ValueError: `confidence` is not strictly between 0 and 1.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence = {confidence!r}: expected a number strictly between 0 and 1")
        self.confidence = confidence
        self._pairs: Counter[tuple[float, float]] = Counter()

    @property
    def count(self) -> int:
        """Scores taken in."""
        return self._pairs.total()

    def update(self, score: float, weight: float = 1.0) -> None:
        """Take in one score in [0, 1] with its weight p_min / p in (0, 1].

        Raises:
            ValueError: a value is outside its range.
        """
        if not 0 <= score <= 1:
            raise ValueError(f"score = {score!r}: expected a number from 0 to 1")
        if not 0 < weight <= 1:
            raise ValueError(f"weight = {weight!r}: expected a number above 0, up to 1")
        self._pairs[score, weight] += 1

    def extend(self, scores: Sequence[float], weights: Sequence[float]) -> None:
        """Take in scores [n] with weights [n]; the same as n times `update`."""
        for score, weight in zip(scores, weights, strict=True):
            self.update(score, weight)

    def interval(self) -> Interval:
        """The weighted mean so far and the interval around it; 0.5 in [0, 1] before the first score."""
        if not self._pairs:
            return Interval(0.5, 0.0, 1.0, self.confidence, "betting")
        score, weight = np.array(list(self._pairs)).T
        count = np.array(list(self._pairs.values()), dtype=np.float64)
        bar = math.log(2 / (1 - self.confidence))
        low = lowest_mean(score, weight, count, bar)
        high = 1.0 - lowest_mean(1.0 - score, weight, count, bar)
        value = min(high, max(low, float(score @ (weight * count) / (weight @ count))))
        return Interval(value, low, high, self.confidence, "betting")


def log_factors(scores: Vector, weights: Vector, mean: float, fractions: Vector = FRACTIONS) -> Vector:
    """Logarithms of what a score multiplies each gambler's money on "higher than `mean`" by: [n, bets]."""
    gain = weights * (scores / mean - 1)
    logs: Vector = np.log1p(fractions * gain[:, None])
    return logs


def log_capital(log_money: Vector) -> Vector:
    """Logarithm of the mean money of the gamblers, from its logarithms [..., bets]."""
    capital: Vector = np.logaddexp.reduce(log_money, axis=-1) - math.log(log_money.shape[-1])
    return capital


def lowest_mean(
    scores: Vector, weights: Vector, counts: Vector, bar: float, fractions: Vector = FRACTIONS
) -> float:
    """The lowest mean that is not excluded by `counts` of each score, rounded outwards."""
    excluded, kept = 0.0, float(scores @ (weights * counts) / (weights @ counts))
    for _ in range(_HALVINGS):
        middle = (excluded + kept) / 2
        if middle <= excluded:
            break
        if float(log_capital(counts @ log_factors(scores, weights, middle, fractions))) >= bar:
            excluded = middle
        else:
            kept = middle
    return excluded
