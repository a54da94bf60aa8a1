"""Percentiles with an interval that assumes nothing about the distribution."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval

Vector = npt.NDArray[np.floating]


def percentile(values: Vector, share: float, confidence: float = 0.95) -> Interval:
    """The `share` quantile (0.99 for p99) of values [n] by nearest rank, between two order statistics.

    The number of values under the true quantile is binomial(n, share), so the l-th and u-th smallest values
    enclose it with the binomial probability of l <= count < u, whatever the values' distribution, as long as
    they are independent (David and Nagaraja 2003, 7.1). The ranks cut at most (1 - confidence) / 2 off either
    side. Where n is too small for that, the end is the smallest or largest value and `method` says which side
    is open.

    Raises:
        ValueError: there are no values, or `share` is not strictly between 0 and 1.

    >>> percentile(np.arange(1.0, 1001.0), 0.5).value
    500.0
    """
    if len(values) == 0 or not 0 < share < 1:
        raise ValueError(f"{len(values)} values, share = {share!r}: expected some, and between 0 and 1")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    tail = (1 - confidence) / 2
    cumulative = binomial_cumulative(n, share)
    low = int(np.searchsorted(cumulative, tail, side="right"))
    high = int(np.searchsorted(cumulative, 1 - tail, side="left")) + 1
    method = "order-statistics" + (", open below" if low == 0 else "") + (", open above" if high > n else "")
    rank = max(1, math.ceil(share * n - 1e-9))
    return Interval(
        value=float(ordered[rank - 1]),
        low=float(ordered[max(low, 1) - 1]),
        high=float(ordered[min(high, n) - 1]),
        confidence=confidence,
        method=method,
    )


def binomial_cumulative(n: int, share: float) -> npt.NDArray[np.float64]:
    """P(binomial(n, share) <= k) for k = 0 … n: [n + 1], through logarithms against underflow."""
    k = np.arange(n)
    ratios = np.log((n - k) / (k + 1)) + math.log(share / (1 - share))
    logs = n * math.log1p(-share) + np.concatenate([[0.0], np.cumsum(ratios)])
    cumulative: npt.NDArray[np.float64] = np.minimum(1.0, np.cumsum(np.exp(logs)))
    return cumulative
