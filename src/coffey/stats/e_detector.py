"""An alarm for a falling mean that is valid however often it is looked at: a Shiryaev-Roberts e-detector."""

from __future__ import annotations

import math

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

_MOST = 0.95
"""Share of the largest possible bet that is ever taken."""


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

    *Audits aimed by confidence* say more with the same labels: each request, audited or not, has a gain g
    with E[g] <= 0 under the null (`stats.aiming.Aim`) and the factor 1 + λ · g. The factors of requests since
    the audit before are multiplied into that of the next audit. A change is only ever assumed to start at an
    audit, so that counted in audits the same holds again.

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

    def __init__(
        self,
        mean: float,
        *,
        average_run_length: float,
        spread: float | None = None,
        reach: float | None = None,
    ) -> None:
        """Start without evidence.

        Args:
            mean: the promised mean score m, strictly between 0 and 1.
            average_run_length: audits between false alarms, at least 1.
            spread: variance of an audit's gain, see `bets`.
            reach: its largest loss.

        Raises:
            ValueError: a value is outside its range.
        """
        if not average_run_length >= 1:
            raise ValueError(f"average_run_length = {average_run_length!r}: expected at least 1")
        self.mean = mean
        self.average_run_length = average_run_length
        self.bets = bets(mean, spread=spread, reach=reach)
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
        self.take(weight * (self.mean - score))

    def take(self, gain: float, passed: Vector | None = None, counts: Vector | None = None) -> None:
        """Take in the gain of one audit, after `counts` requests with the gains `passed` without one.

        Raises:
            ValueError: the largest bet could lose everything by a gain.
        """
        between = (
            np.zeros((2, 1, 0)) if passed is None or counts is None else np.stack([passed, counts])[:, None]
        )
        self.take_all(np.array([gain]), *between)

    def take_all(self, gains: Vector, passed: Vector, counts: Vector) -> Vector:
        """Take in the gains of audits [n], one after another; `log_evidence` after each of them [n].

        With S_n the sum of a bet's log factors, log M_n = S_n + log(M_0 + 1 + Σ exp(-S_k) over 0 < k < n), so
        that no step has to wait for the one before.

        Args:
            gains: of the audits, in order [n].
            passed: gains of the requests since the audit before, by kind [n, kinds]; there may be no kind.
            counts: how many requests of each kind those were [n, kinds].

        Raises:
            ValueError: the largest bet could lose everything by a gain; then nothing was taken in.
        """
        if not (gains * self.bets.max() > -1).all():
            least = -1 / self.bets.max()
            raise ValueError(f"gain = {float(gains.min())!r}: expected more than {least:.6g}")
        if not len(gains):
            return np.zeros(0)
        between = np.einsum("nk,nkb->nb", counts, log_factors(passed, bets=self.bets))
        walked = np.cumsum(log_factors(gains, bets=self.bets) + between, axis=0)
        self._move_change(walked)
        begun = np.logaddexp.accumulate(np.concatenate([self._log_sums[None], -walked[:-1]]), axis=0)
        logs = walked + begun
        self._log_sums = np.logaddexp(0.0, logs[-1])
        evidence: Vector = np.maximum(0.0, np.logaddexp.reduce(logs + self._log_shares, axis=1))
        crossed = np.flatnonzero(evidence >= self.log_threshold)
        if self.alarm_at is None and len(crossed):
            self.alarm_at = self.count + int(crossed[0])
        self.count += len(gains)
        self._log_evidence = float(evidence[-1])
        return evidence

    def _move_change(self, walked: Vector) -> None:
        """The CUSUM of each bet, and where it was zero last, after sums of log factors [n, bets]."""
        levels = np.concatenate([np.zeros_like(walked[:1]), self._cusums + walked])
        lowest = np.minimum.accumulate(levels, axis=0)
        is_zero = levels[1:] <= lowest[:-1]
        since = is_zero[::-1].argmax(axis=0)
        self._starts = np.where(is_zero.any(axis=0), self.count + len(walked) - since, self._starts)
        self._cusums = levels[-1] - lowest[-1]


def bets(mean: float, *, spread: float | None = None, reach: float | None = None) -> Vector:
    """The bet for each drop: λ = drop / spread grows fastest when the mean fell by `drop` (Kelly).

    Without `spread` and `reach` a gain is m - x, with the variance m (1 - m) of a share and the largest loss
    1 - m: then this maximizes E[log e] exactly for x in {0, 1} with mean m - drop. The largest bet stays
    under 1 / `reach`.

    Raises:
        ValueError: `mean` is not strictly between 0 and 1.
    """
    if not 0 < mean < 1:
        raise ValueError(f"mean = {mean!r}: expected a number strictly between 0 and 1")
    variance = mean * (1 - mean) if spread is None else spread
    largest = _MOST / (1 - mean if reach is None else reach)
    odds: Vector = np.minimum(np.array(DROPS) / variance, largest)
    return odds


def log_factors(gain: float | Vector, *, bets: Vector) -> Vector:
    """Logarithm of e = 1 + λ · gain for gains of any shape [...]: [..., bets]."""
    logs: Vector = np.log1p(np.asarray(gain, dtype=np.float64)[..., None] * bets)
    return logs


def log_shares() -> Vector:
    """Logarithms of the shares π of the bets, which sum to 1 and were fixed before any data."""
    distance = (np.log(DROPS) - math.log(_LIKELY_DROP)) / _SPREAD
    shares = np.exp(-0.5 * distance**2) + _FLOOR
    logs: Vector = np.log(shares / shares.sum())
    return logs
