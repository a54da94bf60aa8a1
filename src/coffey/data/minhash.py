"""MinHash signatures and an index of similar sets (Broder 1997; Indyk and Motwani 1998)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from coffey.data.shingles import HashedShingles

Signatures = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]

PERMUTATIONS = 128
BLOCK_PAIRS = 32_768
"""Pairs compared at once: 16 MiB a side."""
MAX_MISS = 1e-3
"""Highest probability, at the threshold itself, of not meeting a similar pair."""


def rows_per_band(threshold: float, permutations: int = PERMUTATIONS) -> int:
    """The most rows r a band may have so that a pair with Jaccard similarity `threshold` is missed rarely.

    With b = permutations // r bands it is missed with probability (1 - threshold^r)^b, here at most
    `MAX_MISS`; more rows mean fewer pairs to look at in vain. 1 when no r keeps to that.

    >>> rows_per_band(0.8), rows_per_band(0.5)
    (5, 2)
    """
    fitting = [
        rows
        for rows in range(1, permutations + 1)
        if (1.0 - threshold**rows) ** (permutations // rows) <= MAX_MISS
    ]
    return max(fitting, default=1)


def signatures(shingles: HashedShingles, permutations: int = PERMUTATIONS) -> Signatures:
    """MinHash signatures, uint32 [permutations, n]: two sets share an entry with probability = Jaccard.

    Each entry is the least value of a hash of 32 bits: a multiplication alone is not enough, because the
    least of a linear function depends on how the set is spread (Broder, Charikar, Frieze, Mitzenmacher 2000).
    """
    random = np.random.default_rng(20_011)
    masks = random.integers(0, 2**64, permutations, dtype=np.uint64)
    factors = random.integers(0, 2**63, permutations, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    out = np.empty((permutations, len(shingles.starts) - 1), dtype=np.uint32)
    for row, (mask, factor) in enumerate(zip(masks, factors, strict=True)):
        mixed = (shingles.hashes ^ mask) * factor
        mixed = (mixed ^ (mixed >> np.uint64(32))) * factor
        permuted = (mixed >> np.uint64(32)).astype(np.uint32)
        out[row] = np.minimum.reduceat(permuted, shingles.starts[:-1])
    return out


class BandIndex:
    """Signatures of n sets, sorted band by band."""

    def __init__(self, signatures: Signatures, threshold: float) -> None:
        """Index `signatures`, uint32 [permutations, n], to find sets of at least `threshold` similarity."""
        permutations = len(signatures)
        self._rows = rows = rows_per_band(threshold, permutations)
        self._signatures = np.ascontiguousarray(signatures.T)
        spread = (threshold * (1.0 - threshold) * permutations) ** 0.5
        self._least_equal = threshold * permutations - 5.0 * spread
        self._keys: list[npt.NDArray[np.uint64]] = []
        self._orders: list[Places] = []
        for keys in _band_keys(signatures, rows):
            order = np.argsort(keys, kind="stable")
            self._orders.append(order)
            self._keys.append(keys[order])

    def candidates(self, asked: Signatures) -> Iterator[tuple[Places, Places]]:
        """Pairs of a query (column of `asked`) and an indexed set that meet in a band and look similar.

        Yields blocks of at most `BLOCK_PAIRS` pairs as two equally long arrays; a pair that meets in several
        bands comes several times. Pairs whose signatures agree on so little that a similarity of `threshold`
        is more than five standard deviations off are left out.
        """
        queries = np.ascontiguousarray(asked.T)
        for keys, order, wanted in zip(self._keys, self._orders, _band_keys(asked, self._rows), strict=True):
            low = np.searchsorted(keys, wanted, side="left")
            counts = np.searchsorted(keys, wanted, side="right") - low
            for start, stop in _blocks(counts):
                query = np.repeat(np.arange(start, stop), counts[start:stop])
                first = np.repeat(np.cumsum(counts[start:stop]) - counts[start:stop], counts[start:stop])
                found = order[low[query] + np.arange(len(query)) - first]
                for part in range(0, len(query), BLOCK_PAIRS):
                    yield self._alike(
                        queries, query[part : part + BLOCK_PAIRS], found[part : part + BLOCK_PAIRS]
                    )

    def _alike(self, queries: Signatures, query: Places, found: Places) -> tuple[Places, Places]:
        equal = np.count_nonzero(queries[query] == self._signatures[found], axis=1)
        keep = equal >= self._least_equal
        return query[keep], found[keep]


def _blocks(counts: Places) -> Iterator[tuple[int, int]]:
    """Ranges of queries with about `BLOCK_PAIRS` pairs each (more only where one query has more)."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts) and total[-1] > (total[start - 1] if start else 0):
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + BLOCK_PAIRS, side="right")))
        yield start, stop
        start = stop


def _band_keys(signatures: Signatures, rows: int) -> Iterator[npt.NDArray[np.uint64]]:
    """One 64-bit key a set for each whole band: equal bands have equal keys."""
    for start in range(0, len(signatures) - rows + 1, rows):
        keys = np.zeros(signatures.shape[1], dtype=np.uint64)
        for row in signatures[start : start + rows]:
            keys = (keys ^ row.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(29)
        yield keys
