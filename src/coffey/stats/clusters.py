"""Groups of alike vectors, and which vectors are unlike all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.floating]

UNLIKE = -1
"""The cluster of a vector that lies far from all."""

_NEAR = 0.98
"""Share of the held vectors that count as near some centre."""

_PASSES = 50
"""Passes of Lloyd's algorithm at most; a few dozen are enough for a thousand vectors."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Centres of directions, and how far from the nearest one a vector may be."""

    centres: npt.NDArray[np.float32]
    """Unit vectors [k, width]."""
    reach: float
    """Least cosine similarity to the nearest centre."""

    def __len__(self) -> int:
        return len(self.centres)

    def of(self, vectors: Vectors) -> npt.NDArray[np.int64]:
        """The nearest centre of each vector [n], or `UNLIKE`."""
        likeness = _unit(vectors) @ self.centres.T
        return np.where(likeness.max(axis=1) >= self.reach, likeness.argmax(axis=1), UNLIKE)


def fit_clusters(vectors: Vectors, held: Vectors, *, count: int, seed: int) -> Clusters:
    """Spherical k-means (Dhillon and Modha 2001) from a k-means++ start (Arthur and Vassilvitskii 2007).

    Args:
        vectors: that centres are fitted to [n, width], at least one.
        held: others from the same source, by which the reach is set [m, width], at least one.
        count: centres at most.
        seed: of the start.
    """
    unit = _unit(vectors)
    centres = _start(unit, min(count, len(unit)), np.random.default_rng(seed))
    nearest = np.full(len(unit), -1)
    for _ in range(_PASSES):
        found = (unit @ centres.T).argmax(axis=1)
        if (found == nearest).all():
            break
        nearest = found
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, unit)
        taken = np.bincount(nearest, minlength=len(centres)) > 0
        centres = _unit(np.where(taken[:, None], sums, centres))
    likeness = (_unit(held) @ centres.T).max(axis=1)
    return Clusters(centres, float(np.quantile(likeness, 1 - _NEAR)))


def _start(unit: npt.NDArray[np.float32], count: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Vectors far from each other: each drawn in proportion to its squared distance from those before."""
    chosen = [int(rng.integers(len(unit)))]
    for _ in range(count - 1):
        distance = np.maximum(0.0, 1 - (unit @ unit[chosen].T).max(axis=1).astype(np.float64))
        if not distance.sum() > 1e-6 * len(unit):
            break
        chosen.append(int(rng.choice(len(unit), p=distance / distance.sum())))
    return unit[chosen]


def _unit(vectors: Vectors) -> npt.NDArray[np.float32]:
    found = np.asarray(vectors, dtype=np.float32)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))
