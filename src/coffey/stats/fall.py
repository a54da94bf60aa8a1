"""Evidence that a mean fell, at a moment that nobody knows, from a level that nobody knows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

BLOCK = 500
"""Scores between the moments at which a fall may have begun. Half as many would date it better and cost 0.7
of log evidence; a fall that takes thousands of scores to be seen loses a few percent by this."""

FRACTIONS: Vector = np.geomspace(0.005, 0.95, 12)
"""Shares of the largest possible bet. The best one falls like 1/√n: these serve 50 to 10^6 scores."""

_STARTS = 4
"""Moments that are evaluated at most: the likeliest by z-score, and none at which that speaks against a fall.
Leaving others out only makes the evidence smaller."""

_LEVELS = 200
"""Levels between which the least evidence is looked for."""


@dataclass(frozen=True, slots=True)
class Fall:
    """What scores say about a fall of their mean."""

    log_evidence: float
    """Natural logarithm of the e-value, at least 0: evidence under 1 says nothing."""
    start: int
    """Index of the first score after the likeliest moment; the number of scores where nothing fell."""


def evidence_of_fall(scores: Vector, weights: Vector, *, known: int = 0) -> Fall:
    """An e-process of the hypothesis that the mean of scores in [0, 1] never fell.

    For one moment ν and one level m, gamblers bet before ν that the mean is higher than m, and after it that
    it is lower (betting with a fixed grid of bets, Waudby-Smith and Ramdas 2024):

        K(ν, m) = mean over θ of Π before ν (1 + θ w (x - m) / m)
                · mean over θ of Π after ν (1 + θ w (m - x) / (1 - m))

    If the mean before is at least that after, some m lies between both, and K(ν, m) is a supermartingale
    for it. So the least K(ν, m) over all m is an e-process whatever the level is. The moments are mixed with
    shares that were fixed in advance: the end of the first `known` scores, and every `BLOCK` scores after it.
    By Ville's inequality the evidence exceeds c, ever, with probability at most 1 / c; at any moment it is an
    e-value for `e_bh`.

    w = p_min / p makes it a test about all requests, not about audited ones (shown in `EDetector`); a weight
    of 0 leaves a score out. K falls in m before ν and rises after it, so between two neighbouring levels it
    is at least the one at the upper times the other at the lower: the minimum is bounded, not searched.

    Args:
        scores: in the order in which they came [n].
        weights: p_min / p of each, in [0, 1].
        known: scores at the beginning that stand for the time before any fall.

    >>> rng = np.random.default_rng(1)
    >>> scores = np.r_[rng.random(1000) < 0.95, rng.random(500) < 0.8].astype(float)
    >>> fall = evidence_of_fall(scores, np.ones(1500))
    >>> fall.log_evidence > 20, 900 < fall.start < 1100
    (True, True)
    """
    starts, log_shares = _moments(len(scores), known)
    if not len(starts):
        return Fall(0.0, len(scores))
    before, after, half_square = _means(scores, weights, starts)
    likely = half_square + log_shares
    chosen = np.argsort(-likely)[:_STARTS]
    chosen = chosen[likely[chosen] > 0]
    if not len(chosen):
        return Fall(0.0, len(scores))
    (score, weight), code = _distinct(scores, weights)
    total = np.bincount(code, minlength=len(score))
    logs = []
    for index in chosen.tolist():
        earlier = np.bincount(code[: starts[index]], minlength=len(score))
        levels = _levels(float(before[index]), float(after[index]))
        logs.append(log_shares[index] + _least(score, weight, earlier, total - earlier, levels))
    best = int(chosen[int(np.argmax(logs))])
    return Fall(max(0.0, float(np.logaddexp.reduce(logs))), int(starts[best]))


def _moments(count: int, known: int) -> tuple[npt.NDArray[np.int64], Vector]:
    """Indices at which a fall may have begun, and the logarithms of their shares, which sum to 1 at most.

    The b-th moment, from 0, has the share ln 2 · (1 / ln(b + 2) - 1 / ln(b + 3)): late ones cost little more
    than early ones, and however many there will be, the shares sum to 1.
    """
    starts = np.arange(known, count, BLOCK)
    order = np.arange(2, len(starts) + 2)
    shares = math.log(2) * (1 / np.log(order) - 1 / np.log(order + 1))
    return starts[starts > 0], np.log(shares[starts > 0])


def _means(scores: Vector, weights: Vector, starts: npt.NDArray[np.int64]) -> tuple[Vector, Vector, Vector]:
    """Weighted means before and after each moment, and half the squared z-score where the later is lower."""
    mass, sums = (np.r_[0.0, np.cumsum(part)] for part in (weights, weights * scores))
    left, right = mass[starts], mass[-1] - mass[starts]
    usable = (left > 0) & (right > 0)
    before = np.divide(sums[starts], left, out=np.zeros(len(starts)), where=usable)
    after = np.divide(sums[-1] - sums[starts], right, out=np.zeros(len(starts)), where=usable)
    middle = sums[-1] / mass[-1] if mass[-1] else 0.0
    spread = float((weights**2 * (scores - middle) ** 2).sum()) / max(mass[-1], 1e-300)
    error = np.divide(spread * mass[-1], left * right, out=np.ones(len(starts)), where=usable)
    fell = np.where(usable, np.maximum(0.0, before - after), 0.0)
    return before, after, 0.5 * fell**2 / np.maximum(error, 1e-300)


def _distinct(scores: Vector, weights: Vector) -> tuple[Vector, npt.NDArray[np.int64]]:
    """The pairs [2, k] that scores and weights make, and which of them each score has."""
    (score, first), (weight, second) = (np.unique(part, return_inverse=True) for part in (scores, weights))
    pairs = np.stack([np.repeat(score, len(weight)), np.tile(weight, len(score))])
    return pairs, first * len(weight) + second


def _levels(before: float, after: float) -> Vector:
    """Levels from 0 to 1, dense from below the mean after to above the mean before."""
    width = before - after
    dense = np.linspace(after - width, before + width, _LEVELS)
    return np.unique(np.r_[0.0, dense[(dense > 0) & (dense < 1)], 1.0])


def _least(
    scores: Vector,
    weights: Vector,
    earlier: npt.NDArray[np.int64],
    later: npt.NDArray[np.int64],
    levels: Vector,
) -> float:
    """Logarithm of a lower bound of the least evidence over all levels."""
    higher = _log_capital(scores, weights, earlier, levels[1:])
    lower = _log_capital(1 - scores, weights, later, 1 - levels[:-1])
    return float((higher + lower).min())


def _log_capital(scores: Vector, weights: Vector, counts: npt.NDArray[np.int64], levels: Vector) -> Vector:
    """Logarithm of the mean money of who bets that the mean is higher than each level [levels]."""
    seen = counts > 0
    gain = weights[seen, None] * (scores[seen, None] / levels - 1)
    money = np.tensordot(counts[seen], np.log1p(FRACTIONS * gain[..., None]), axes=1)
    logs: Vector = np.logaddexp.reduce(money, axis=-1) - math.log(len(FRACTIONS))
    return logs
