"""Intervals for shares, and for ratios and differences of paired answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval

RESAMPLES = 10_000
"""Resamples of a bootstrap: the Monte Carlo error of a 2.5 % quantile is then about 0.16 % of probability."""

_CHUNK = 4_000_000
"""Resampled counts held at once (32 MB)."""

Vector = npt.NDArray[np.floating] | npt.NDArray[np.bool_] | npt.NDArray[np.integer]


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """Interval of a share by Wilson (1927): never outside [0, 1], good for small `n` and for shares near 1.

    Counts may be fractional (an effective sample size). `n = 0` knows nothing: 0.5 in [0, 1].

    Raises:
        ValueError: `successes` is not within [0, n].

    >>> interval = wilson(95, 100)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.888, 0.978)
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes = {successes!r}: expected a number from 0 to n = {n!r}")
    if n == 0:
        return Interval(0.5, 0.0, 1.0, confidence, "wilson")
    z = _z(confidence)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(share, low, high, confidence, "wilson")


def mean_score(scores: Vector, confidence: float = 0.95) -> Interval:
    """Interval of the mean of scores [n] in [0, 1], or of the share of true ones.

    It is `wilson` of their sum. That is right for bool scores and wide enough for others: of all variables in
    [0, 1] with one mean, the one that is only 0 or 1 varies most.
    """
    return wilson(float(np.asarray(scores).sum()), len(scores), confidence)


def weighted_share(values: Vector, weights: Vector, confidence: float = 0.95) -> Interval:
    """Interval of a mean in [0, 1] when value i stands for `weights[i]` requests (1 / probability of audit).

    The estimate is Hájek's weighted mean; the interval is Wilson's at Kish's (1965) effective sample size
    `(Σw)² / Σw²`. With equal weights it is `wilson`.
    """
    value = np.asarray(values, dtype=np.float64)
    weight = np.asarray(weights, dtype=np.float64)
    total = float(weight.sum())
    if total == 0:
        return Interval(0.5, 0.0, 1.0, confidence, "weighted-wilson")
    effective = total**2 / float(weight @ weight)
    share = min(1.0, max(0.0, float(weight @ value) / total))
    interval = wilson(share * effective, effective, confidence)
    return Interval(share, interval.low, interval.high, confidence, "weighted-wilson")


def difference_of_shares(first: Interval, second: Interval) -> Interval:
    """Interval of the difference of two independent shares, by their own intervals.

    Newcombe's (1998) hybrid score interval, method 10, where both are Wilson's: never outside [-1, 1], and
    right for shares near 1. Both have the same confidence.

    >>> found = difference_of_shares(wilson(56, 70), wilson(48, 80))
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, value - below, value + above, first.confidence, "newcombe")


def paired_ratio(
    numerator: Vector,
    denominator: Vector,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Interval of mean(numerator) / mean(denominator) of two vectors [n] about the same n examples.

    Both are bool, or scores in [0, 1]. Retention is the ratio of "student right" to "teacher right". Examples
    are resampled, so both vectors move together: each resample is one draw of the multinomial over the
    distinct pairs (of bool vectors the four cells right/wrong by right/wrong), which has exactly the
    distribution of drawing n examples with replacement (percentile bootstrap, Efron 1979).

    Degenerate cases. Nothing to divide by (n = 0 or an all-zero denominator): value 0 in [0, max(n, 1)], the
    largest ratio that n examples can show. No discordant example: the bootstrap would claim certainty, so the
    share of discordant examples is bounded instead by Clopper and Pearson (1934), `1 - (alpha/2)^(1/n)`.

    Raises:
        ValueError: the vectors differ in length.

    >>> right = np.ones(1000, dtype=bool)
    >>> paired_ratio(right, right, seed=0).value
    1.0
    """
    over, under = _same_length(numerator, denominator)
    n = len(over)
    right = float(under.sum())
    if right == 0:
        return Interval(0.0, 0.0, float(max(n, 1)), confidence, "paired-bootstrap")
    if np.array_equal(over, under):
        slack = _unseen(n, confidence) * n / right
        return Interval(1.0, max(0.0, 1 - slack), 1 + slack, confidence, "paired-exact")
    cells, counts = _cells(over, under)
    rng = np.random.default_rng(seed)
    sums = np.concatenate(
        [rng.multinomial(n, counts / n, size=size) @ cells for size in _chunks(resamples, len(cells))]
    )
    above, below = sums[:, 0], sums[:, 1]
    return _interval(float(over.sum()) / right, above[below > 0] / below[below > 0], confidence)


def paired_difference(
    first: Vector,
    second: Vector,
    *,
    seed: int,
    weights: Vector | None = None,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Interval of mean(first) - mean(second) of two vectors [n] (bool or number) about the same n examples.

    Examples are resampled with their weights (1 / probability of audit; equal when absent) through the
    multinomial over the distinct pairs of difference and weight, of which bool vectors have three a weight.
    `n = 0`: 0 in [-1, 1]. Scores in [0, 1] without a discordant example: Clopper and Pearson's bound on the
    share of discordant ones (at Kish's effective sample size), on either side of 0.

    Raises:
        ValueError: the vectors differ in length.
    """
    one, two = _same_length(first, second)
    n = len(one)
    if n == 0:
        return Interval(0.0, -1.0, 1.0, confidence, "paired-bootstrap")
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    difference = one.astype(np.float64) - two.astype(np.float64)
    if not difference.any() and _are_scores(one):
        slack = _unseen(float(weight.sum() ** 2 / (weight @ weight)), confidence)
        return Interval(0.0, -slack, slack, confidence, "paired-exact")
    cells, counts = np.unique(np.stack([difference * weight, weight], axis=1), axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    sums = np.concatenate(
        [rng.multinomial(n, counts / n, size=size) @ cells for size in _chunks(resamples, len(cells))]
    )
    return _interval(float(difference @ weight / weight.sum()), sums[:, 0] / sums[:, 1], confidence)


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _unseen(n: float, confidence: float) -> float:
    """Upper bound of a share of which n examples showed none."""
    return 1.0 - float(((1 - confidence) / 2) ** (1 / n))


def _same_length(first: Vector, second: Vector) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    one, two = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != two.shape:
        raise ValueError(f"shapes {one.shape} and {two.shape}: expected two vectors of the same length")
    return one, two


def _are_scores(vector: npt.NDArray[Any]) -> bool:
    return vector.dtype == np.bool_ or bool(vector.min() >= 0 and vector.max() <= 1)


def _cells(first: Vector, second: Vector) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """The distinct pairs [cells, 2], and how often each is; bool pairs are always the same four."""
    one, two = first.astype(np.float64), second.astype(np.float64)
    if first.dtype == np.bool_:
        pairs = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        return pairs, np.array([((one == a) & (two == b)).sum() for a, b in pairs])
    cells, counts = np.unique(np.stack([one, two], axis=1), axis=0, return_counts=True)
    return cells, counts


def _chunks(resamples: int, cells: int) -> Iterator[int]:
    size = max(1, _CHUNK // cells)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _interval(value: float, drawn: npt.NDArray[np.floating], confidence: float) -> Interval:
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Interval(value, float(low), float(high), confidence, "paired-bootstrap")
