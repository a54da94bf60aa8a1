"""Agreement of all requests by audits aimed at unsure ones, the student's confidence being control variate.

A request of bin b with the score y, drawn for audit (A = 1) with probability p, counts as
z = h + A (y - h) / p, where h is the bin's agreement as it was measured before. The mean of z is that of y
whatever h is, so bins that are wrong cost width, never truth. What is known of the requests that nobody
audited takes the place of chance, and audits are drawn where they say most: prediction-powered inference
(Angelopoulos et al. 2023) with active sampling (Zrnic and Candès 2024). With the mean probability P of the
time, the gain P (z - m) counts in audits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.intervals import wilson

Vector = npt.NDArray[np.float64]

BETS: Vector = np.geomspace(3e-3, 50, 28)
"""Bets λ. The best one is about the width of the interval by the variance of a gain: 10 to 10^7 audits."""

_PRIOR_AUDITS = 2.0
"""Audits that the bins' own agreement counts for where the spread of a few is estimated."""

_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class ActiveAudits:
    """Audits of one student that were drawn by confidence, each with the requests before it."""

    bins: ConfidenceBins
    score: Vector
    """Agreement of each audit, in [0, 1] [n]."""
    index: npt.NDArray[np.int64]
    """Its bin [n]."""
    rate: Vector
    """Mean probability of an audit at that time [n]."""
    probability: Vector
    """With which it was drawn [n]."""
    passed: Vector
    """Requests of each bin since the audit before that were not audited [n, bins], see `Audit.passed`."""

    def __len__(self) -> int:
        return len(self.score)

    def part(self, start: int, stop: int | None = None) -> ActiveAudits:
        """Those from `start` up to `stop`."""
        rows = slice(start, stop)
        return ActiveAudits(
            self.bins,
            self.score[rows],
            self.index[rows],
            self.rate[rows],
            self.probability[rows],
            self.passed[rows],
        )

    @property
    def control(self) -> Vector:
        """The control variate h of each bin [bins]."""
        return np.array(self.bins.agreement)

    @property
    def sums(self) -> tuple[Vector, Vector]:
        """Of each audit with the requests before it, the sum of P z and of P [n]."""
        control, requests = self.control[self.index], 1 + self.passed.sum(axis=1)
        told = self.rate * (control + self.passed @ self.control)
        return told + self.rate / self.probability * (self.score - control), self.rate * requests

    @property
    def mean(self) -> float:
        """Agreement of all requests, at least one audit."""
        told, mass = (float(part.sum()) for part in self.sums)
        return min(1.0, max(0.0, told / mass))


def active_share(audits: ActiveAudits, confidence: float = 0.95) -> Interval:
    """Interval of the agreement of these requests, for one look.

    Wilson's, at the number of uniform audits that would vary as the estimate does. Its variance adds, of each
    audit, (P / p)² times the spread of its bin (at least the one that the bins claim), and the part that is
    due to which requests came. Without an audit: 0.5 in [0, 1].
    """
    if not len(audits):
        return Interval(0.5, 0.0, 1.0, confidence, "active-wilson")
    value, control = audits.mean, audits.control
    squares = np.bincount(
        audits.index, weights=(audits.score - control[audits.index]) ** 2, minlength=len(control)
    )
    counts = np.bincount(audits.index, minlength=len(control))
    claimed = control * (1 - control)
    spread = np.maximum(claimed, (squares + _PRIOR_AUDITS * claimed) / (counts + _PRIOR_AUDITS))
    lifted = (audits.rate / audits.probability) ** 2 @ spread[audits.index]
    share = np.array(audits.bins.share)
    came = float(audits.rate.mean()) * float(share @ (control - audits.bins.mean) ** 2)
    mass = float(audits.sums[1].sum())
    variance = float(lifted) / mass**2 + came / mass
    middle = (value * len(audits) + audits.bins.mean * _PRIOR_AUDITS) / (len(audits) + _PRIOR_AUDITS)
    effective = middle * (1 - middle) / variance
    found = wilson(value * effective, effective, confidence)
    return Interval(value, found.low, found.high, confidence, "active-wilson")


def active_sequence(
    audits: ActiveAudits, *, scores: Vector, weights: Vector, confidence: float = 0.95
) -> Interval:
    """Interval of the agreement of all requests that holds at every moment at once.

    For each candidate mean m, gamblers with fixed bets λ bet that the mean is higher: over all requests the
    factor 1 + λ P (z - m) has the mean 1 at the true one, so the mean money is a martingale and exceeds
    2 / (1 - confidence) with probability at most (1 - confidence) / 2, ever (betting, Waudby-Smith and Ramdas
    2024); as many bet that it is lower. A bet that could lose everything at m is not made there. Money falls
    in m: what is kept is an interval.

    Args:
        audits: those with the requests between them.
        scores: of audits without those, taken by weight [n].
        weights: p_min / p of each [n].
        confidence: of the whole sequence.
    """
    told, slope, counts = _cells(audits, scores, weights)
    lift, control = np.array(audits.bins.lift), audits.control
    bar = math.log(2 / (1 - confidence))
    low = _lowest(told, slope, counts, bar, control / lift, 1 / lift)
    high = 1.0 - _lowest(slope - told, slope, counts, bar, (1 - control) / lift, 1 / lift)
    value = float(told @ counts / (slope @ counts))
    return Interval(min(high, max(low, value)), low, high, confidence, "active-betting")


def _cells(audits: ActiveAudits, scores: Vector, weights: Vector) -> tuple[Vector, Vector, Vector]:
    """The distinct gains a - c m: their a and c, and how often each was [cells]."""
    control = audits.control[audits.index]
    told = audits.rate * control + audits.rate / audits.probability * (audits.score - control)
    rates, which = np.unique(audits.rate, return_inverse=True)
    passed = np.zeros((len(rates), len(audits.control)))
    np.add.at(passed, which, audits.passed)
    every = np.stack(
        [
            np.r_[told, weights * scores, np.outer(rates, audits.control).ravel()],
            np.r_[audits.rate, weights, np.repeat(rates, len(audits.control))],
        ]
    )
    counts = np.r_[np.ones(len(told) + len(scores)), passed.ravel()]
    pairs, code = np.unique(every, axis=1, return_inverse=True)
    return pairs[0], pairs[1], np.bincount(code.reshape(-1), weights=counts).astype(np.float64)


def _lowest(told: Vector, slope: Vector, counts: Vector, bar: float, lost: Vector, lift: Vector) -> float:
    """The lowest mean that is not excluded, rounded outwards.

    `lost` and `lift` bound the loss of a gain at m: at most `lost`, or `lift` times m, of any bin, or m of an
    audit that is taken by weight.
    """
    excluded, kept = 0.0, min(1.0, max(0.0, float(told @ counts / (slope @ counts))))
    for _ in range(_HALVINGS):
        middle = (excluded + kept) / 2
        if middle <= excluded:
            break
        largest = max(middle, float(lost.max()), float(lift.max()) * middle)
        bets = BETS[BETS * largest < 1]
        money = counts @ np.log1p(np.outer(told - slope * middle, bets))
        if float(np.logaddexp.reduce(money)) - math.log(len(BETS)) >= bar:
            excluded = middle
        else:
            kept = middle
    return excluded
