"""A distribution over the labels from repeated answers, and whether two such came from one teacher."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coffey.teacher.protocol import Probabilities

Counts = npt.NDArray[np.int64]

_PERMUTATIONS = 1999
"""Resolves probabilities of 1 in 2,000."""


def smoothed(counts: Counts, smoothing: float) -> Probabilities:
    """Counts [n, labels] as float32 probabilities; `smoothing` answers are added, even over the labels.

    The posterior mean under a symmetric Dirichlet prior of that weight; a weight of 1 is the prior of Perks
    (1947), "Some observations on inverse probability".

    >>> smoothed(np.array([[3, 1]]), 1.0).tolist()
    [[0.699999988079071, 0.30000001192092896]]
    """
    labels = counts.shape[1]
    total = counts.sum(axis=1, keepdims=True) + smoothing
    probabilities: Probabilities = ((counts + smoothing / labels) / total).astype(np.float32)
    return probabilities


def counted(probabilities: Probabilities, samples: int, smoothing: float) -> Counts:
    """The counts of `samples` answers that `smoothed` made these probabilities of.

    >>> counted(smoothed(np.array([[3, 1]]), 1.0), 4, 1.0).tolist()
    [[3, 1]]
    """
    labels = probabilities.shape[1]
    found = probabilities.astype(np.float64) * (samples + smoothing) - smoothing / labels
    counts: Counts = np.rint(found).astype(np.int64)
    return counts


def chance_of_difference(one: Counts, other: Counts, *, seed: int = 0) -> float:
    """The chance that one teacher's answers, [n, labels] twice, differ as much as these or more.

    A permutation test (Fisher 1935): under one teacher, which half an answer fell into is a matter of chance.
    The difference is the sum over texts of absolute differences of counts. Exact but for the drawing of
    permutations, however few answers a text has; at least 1 / 2,000.
    """
    rng = np.random.default_rng(seed)
    found = np.abs(one - other).sum()
    drawn = np.zeros(_PERMUTATIONS, dtype=np.int64)
    for here, there in zip(one, other, strict=True):
        halves = rng.multivariate_hypergeometric(here + there, int(here.sum()), size=_PERMUTATIONS)
        drawn += np.abs(2 * halves - (here + there)).sum(axis=1)
    return float((int((drawn >= found).sum()) + 1) / (_PERMUTATIONS + 1))
