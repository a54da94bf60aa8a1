"""Two-sample tests: did numbers, vectors or labels move between a reference and a recent sample?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.floating]

PERMUTATIONS = 2000
"""The least p-value a permutation test can give is 1 / (PERMUTATIONS + 1): small enough to survive Holm."""

ROWS = 400
"""Rows of a sample that the kernel test looks at: its cost grows with their square."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How much one thing moved between two samples, and how likely that is by chance."""

    statistic: float
    effect: float
    """A size that does not grow with the samples; 0 is no change."""
    p_value: float
    method: str


def shift_of_numbers(reference: Vector, recent: Vector) -> Shift:
    """Kolmogorov-Smirnov test of two vectors; the effect is the distance D of the distributions, in [0, 1].

    The p-value is Kolmogorov's asymptotic series with Stephens' (1970) correction for finite samples;
    with ties (lengths, shares) it is conservative.

    Raises:
        ValueError: a sample is empty.
    """
    one, two = np.sort(reference), np.sort(recent)
    _not_empty(len(one), len(two))
    points = np.concatenate([one, two])
    below_one = np.searchsorted(one, points, side="right") / len(one)
    below_two = np.searchsorted(two, points, side="right") / len(two)
    distance = float(np.abs(below_one - below_two).max())
    root = math.sqrt(len(one) * len(two) / (len(one) + len(two)))
    return Shift(distance, distance, _kolmogorov(distance * (root + 0.12 + 0.11 / root)), "ks")


def shift_of_vectors(
    reference: Vector, recent: Vector, *, seed: int, permutations: int = PERMUTATIONS, rows: int = ROWS
) -> Shift:
    """Maximum mean discrepancy of two samples [n, d], [m, d] by permutation (Gretton et al. 2012).

    RBF kernel whose bandwidth is the median distance of the pooled rows. The statistic is the unbiased MMD²;
    the effect is MMD, √max(MMD², 0), from 0 to √2. Samples over `rows` are thinned at random.

    Raises:
        ValueError: a sample has fewer than two rows.
    """
    _not_empty(len(reference) // 2, len(recent) // 2)
    rng = np.random.default_rng(seed)
    one, two = _thin(reference, rows, rng), _thin(recent, rows, rng)
    kernel = _kernel(np.concatenate([one, two]).astype(np.float64))
    member = np.zeros((permutations + 1, len(kernel)))
    member[:, : len(one)] = 1
    member[1:] = rng.permuted(member[1:], axis=1)
    values = _discrepancies(kernel, member)
    statistic = float(values[0])
    return Shift(statistic, math.sqrt(max(0.0, statistic)), _rank(values), "mmd")


def shift_of_labels(
    reference: Sequence[str], recent: Sequence[str], *, seed: int, permutations: int = PERMUTATIONS
) -> Shift:
    """G-test that two samples have the same mix of labels, by exact permutation.

    The effect is the Jensen-Shannon distance of the two mixes (base 2), in [0, 1] (Lin 1991; Endres and
    Schindelin 2003).

    Raises:
        ValueError: a sample is empty.
    """
    _not_empty(len(reference), len(recent))
    names, codes = np.unique(np.array([*reference, *recent]), return_inverse=True)
    first = np.bincount(codes[: len(reference)], minlength=len(names))
    total = np.bincount(codes, minlength=len(names))
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_hypergeometric(total, len(reference), size=permutations, method="marginals")
    values = _g(np.concatenate([first[None], drawn]), total)
    p, q = first / first.sum(), (total - first) / (total - first).sum()
    return Shift(float(values[0]), jensen_shannon(p, q), _rank(values), "g-test")


def jensen_shannon(first: Vector, second: Vector) -> float:
    """Jensen-Shannon distance (base 2) of two distributions [k]: 0 when equal, 1 when they share nothing."""
    middle = (first + second) / 2
    divergence = (_plogp(first, middle) + _plogp(second, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, float(divergence.sum()) / math.log(2))))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values: those at most α are false with probability at most α for the family (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.array(p_values, dtype=np.float64)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return tuple(adjusted.tolist())


def _not_empty(first: int, second: int) -> None:
    if first == 0 or second == 0:
        raise ValueError("expected two samples that are not empty (two rows each for vectors)")


def _kolmogorov(x: float) -> float:
    """P(K > x). Under 0.2 it is 1 to 12 digits, where the series no longer converges."""
    if x < 0.2:
        return 1.0
    k = np.arange(1, 101)
    return float(min(1.0, max(0.0, 2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * (k * x) ** 2)))))


def _thin(sample: Vector, rows: int, rng: np.random.Generator) -> Vector:
    if len(sample) <= rows:
        return sample
    return np.asarray(sample[rng.choice(len(sample), rows, replace=False)])


def _kernel(pooled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    norms = (pooled**2).sum(axis=1)
    squared = np.maximum(0.0, norms[:, None] + norms[None] - 2 * pooled @ pooled.T)
    median = float(np.median(squared[np.triu_indices(len(squared), 1)]))
    kernel: npt.NDArray[np.float64] = np.exp(-squared / (2 * median if median > 0 else 1.0))
    np.fill_diagonal(kernel, 0.0)
    return kernel


def _discrepancies(
    kernel: npt.NDArray[np.float64], member: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Unbiased MMD² for each way [b, n] of saying which rows are the reference; the diagonal is zero."""
    other = 1 - member
    n, m = member[0].sum(), other[0].sum()
    towards = member @ kernel
    within = (towards * member).sum(axis=1)
    between = (towards * other).sum(axis=1)
    rest = kernel.sum() - within - 2 * between
    values: npt.NDArray[np.float64] = within / (n * (n - 1)) + rest / (m * (m - 1)) - 2 * between / (n * m)
    return values


def _g(first: npt.NDArray[np.integer], total: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """G for each table [b, k] of reference counts with these totals."""
    size = first[0].sum()
    second = total - first
    left = _plogp(first, total * (size / total.sum()))
    right = _plogp(second, total * (1 - size / total.sum()))
    values: npt.NDArray[np.float64] = 2 * (left + right).sum(axis=1)
    return values


def _plogp(
    observed: npt.NDArray[np.floating] | npt.NDArray[np.integer], expected: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Observed · log(observed / expected), 0 where nothing was observed."""
    ratio = np.divide(observed, expected, out=np.ones(observed.shape), where=observed > 0)
    return np.asarray(observed * np.log(ratio), dtype=np.float64)


def _rank(values: npt.NDArray[np.float64]) -> float:
    """Permutation p-value of the first value: it counts as one of the permutations (Phipson and Smyth 2010).

    Values within rounding of the first count as reaching it.
    """
    slack = 1e-9 * max(1.0, abs(float(values[0])))
    return float((values >= values[0] - slack).mean())
