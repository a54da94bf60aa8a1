"""An alarm for a falling mean that is valid however often it is looked at: a Shiryaev-Roberts e-detector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

DROPS = tuple(float(drop) for drop in np.geomspace(0.01, 0.5, 16))
"""Drops that the bets aim at: 1 to 50 points, evenly spaced in their logarithm."""

_LIKELY_DROP, _SPREAD, _FLOOR = 0.045, 0.7, 0.01
"""Shares of the bets: a bell over log(drop) around 4.5 points, and a floor for the rest.

In simulation from 0.90 it needs about 15 % fewer labels than equal shares to see drops of 3 and 5 points, the
drops that the default contract acts on, and no more than 15 % more to see 20 points.
"""

FORMAT = 1


class EDetector:
    """Watches scores x in [0, 1] for the moment their mean falls below `mean`.

    Null hypothesis: whatever happened before, the expected score of the next request is at least `mean` (m).
    One audit's factor for a bet λ in [0, 1 / (1 - m)) is

        e = 1 + λ · w · (m - x),        w = p_min / p in (0, 1]

    where p is the probability with which that request was chosen for audit and p_min a lower bound of all
    such probabilities. The least value is at x = 1, w = 1: `1 - λ (1 - m) > 0`, so factors stay positive.

    *It tests the mean over all requests, not over audited ones.* Let A say whether a request is audited, with
    P(A | request) = p. An unaudited request has the factor 1, an audited one e, so over requests
    E[factor] = 1 + λ · E[A · (p_min / p) · (m - x)] = 1 + λ · p_min · (m - E[x]) <= 1: p cancels, even where
    it depends on the input. Given that a request is audited, E[e | A] = 1 + λ · p_min · (m - E[x]) / P(A),
    at most 1 too, so the same holds counted in audits, which is how this class counts.

    Evidence for bet k: M_n = e_n (M_{n-1} + 1), M_0 = 0: the sum, over every possible start of the change,
    of the evidence since that start. The detector is the mixture M = Σ π_k M^k over bets aimed at drops of 1
    to 50 points. Under the null M_n - n is a supermartingale, so an alarm at M >= `average_run_length` has
    E[audits until a false alarm] >= average_run_length, and P(false alarm within N audits) is at most
    N / average_run_length (Shin, Ramdas and Rinaldo 2023). Both hold for every rule of looking.

    >>> detector = EDetector(0.9, average_run_length=1000)
    >>> for _ in range(40):
    ...     detector.update(0.0)
    >>> detector.alarm
    True
    """

    def __init__(self, mean: float, *, average_run_length: float) -> None:
        """Start without evidence.

        Args:
            mean: the promised mean score m, strictly between 0 and 1.
            average_run_length: audits between false alarms, at least 1.

        Raises:
            ValueError: a value is outside its range.
        """
        if not average_run_length >= 1:
            raise ValueError(f"average_run_length = {average_run_length!r}: expected at least 1")
        self.mean = mean
        self.average_run_length = average_run_length
        self.bets = bets(mean)
        self.count = 0
        self.alarm_at: int | None = None
        self._log_shares = log_shares()
        self._log_sums = np.zeros(len(self.bets))
        self._cusums = np.zeros(len(self.bets))
        self._starts = np.zeros(len(self.bets), dtype=np.int64)
        self._log_evidence = 0.0

    @property
    def alarm(self) -> bool:
        """Whether the evidence ever reached the threshold."""
        return self.alarm_at is not None

    @property
    def log_evidence(self) -> float:
        """Natural logarithm of max(M, 1): evidence under 1 says nothing."""
        return self._log_evidence

    @property
    def log_threshold(self) -> float:
        """The `log_evidence` at which the alarm is raised."""
        return math.log(self.average_run_length)

    @property
    def change(self) -> int:
        """Scores seen before the estimated change, which is the index of the first score after it.

        Where the CUSUM of the bet with the most evidence last was zero; `count` when it is zero now.
        """
        return int(self._starts[int(np.argmax(self._log_sums))])

    def update(self, score: float, weight: float = 1.0) -> None:
        """Take in one score in [0, 1] whose request had the weight p_min / p in (0, 1].

        Raises:
            ValueError: a value is outside its range.
        """
        if not 0 <= score <= 1:
            raise ValueError(f"score = {score!r}: expected a number from 0 to 1")
        if not 0 < weight <= 1:
            raise ValueError(f"weight = {weight!r}: expected a number above 0, up to 1")
        factors = log_factors(score, weight, mean=self.mean, bets=self.bets)
        self.count += 1
        logs = factors + self._log_sums
        self._log_sums = np.logaddexp(0.0, logs)
        self._cusums = np.maximum(0.0, self._cusums + factors)
        self._starts[self._cusums == 0] = self.count
        self._log_evidence = max(0.0, float(np.logaddexp.reduce(logs + self._log_shares)))
        if self.alarm_at is None and self._log_evidence >= self.log_threshold:
            self.alarm_at = self.count - 1

    def state(self) -> dict[str, Any]:
        """Everything, as values that JSON keeps exactly."""
        return {
            "format": FORMAT,
            "mean": self.mean,
            "average_run_length": self.average_run_length,
            "count": self.count,
            "alarm_at": self.alarm_at,
            "log_evidence": self._log_evidence,
            "log_sums": self._log_sums.tolist(),
            "cusums": self._cusums.tolist(),
            "starts": self._starts.tolist(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> EDetector:
        """The detector that `state` was taken from.

        Raises:
            ValueError: the state has another format.
        """
        if state.get("format") != FORMAT:
            raise ValueError(f"format = {state.get('format')!r}: expected {FORMAT}")
        detector = cls(state["mean"], average_run_length=state["average_run_length"])
        detector.count = state["count"]
        detector.alarm_at = state["alarm_at"]
        detector._log_evidence = state["log_evidence"]
        detector._log_sums = np.array(state["log_sums"], dtype=np.float64)
        detector._cusums = np.array(state["cusums"], dtype=np.float64)
        detector._starts = np.array(state["starts"], dtype=np.int64)
        return detector


def bets(mean: float) -> Vector:
    """The bet for each drop: λ = drop / (m (1 - m)) grows fastest when a share m fell by `drop`.

    It maximizes E[log e] for x in {0, 1} with mean m - drop (Kelly). A drop cannot exceed m; the largest bet
    stays under 1 / (1 - m).

    Raises:
        ValueError: `mean` is not strictly between 0 and 1.
    """
    if not 0 < mean < 1:
        raise ValueError(f"mean = {mean!r}: expected a number strictly between 0 and 1")
    drops: Vector = np.minimum(DROPS, 0.95 * mean)
    return drops / (mean * (1 - mean))


def log_factors(score: float | Vector, weight: float | Vector, *, mean: float, bets: Vector) -> Vector:
    """Logarithm of e for scores and weights of one shape [...]: [..., bets]."""
    gain = np.asarray(weight * (mean - np.asarray(score)), dtype=np.float64)
    logs: Vector = np.log1p(gain[..., None] * bets)
    return logs


def log_shares() -> Vector:
    """Logarithms of the shares π of the bets, which sum to 1 and were fixed before any data."""
    distance = (np.log(DROPS) - math.log(_LIKELY_DROP)) / _SPREAD
    shares = np.exp(-0.5 * distance**2) + _FLOOR
    logs: Vector = np.log(shares / shares.sum())
    return logs
