"""MinHash estimates Jaccard similarity, and the index finds similar sets with the promised probability."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.data.minhash import MAX_MISS, PERMUTATIONS, BandIndex, rows_per_band, signatures
from coffey.data.shingles import HashedShingles


def shingles_of(sets):
    """Sets of whole numbers as hashed shingles, each number spread over 64 bits."""
    flat = np.concatenate(sets).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return HashedShingles(flat, np.cumsum([0, *map(len, sets)]))


def pairs_of_similarity(similarity, count, size=40):
    """Disjointly numbered pairs of sets whose Jaccard similarity is `similarity` or just above."""
    shared = int(np.ceil(2 * size * similarity / (1 + similarity)))
    base = np.arange(count)[:, None] * 10_000
    return base + np.arange(size), base + np.arange(size) + (size - shared)


def test_shared_entries_estimate_the_similarity():
    """The share of equal entries is the Jaccard similarity, within 5 standard errors over 400 pairs."""
    left, right = pairs_of_similarity(0.5, 400)
    equal = signatures(shingles_of(list(left))) == signatures(shingles_of(list(right)))
    shared = len(np.intersect1d(left[0], right[0]))
    similarity = shared / (2 * left.shape[1] - shared)
    assert abs(equal.mean() - similarity) < 5 * (similarity * (1 - similarity) / equal.size) ** 0.5


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95])
def test_pairs_at_the_threshold_are_found(threshold):
    """Of 2,000 pairs at the threshold, no more are missed than the promise allows (5 deviations)."""
    count = 2000
    left, right = pairs_of_similarity(threshold, count)
    index = BandIndex(signatures(shingles_of(list(left))), threshold)
    found = set()
    for queries, places in index.candidates(signatures(shingles_of(list(right)))):
        found |= set(zip(queries.tolist(), places.tolist(), strict=True))
    missed = sum((place, place) not in found for place in range(count))
    assert missed <= count * MAX_MISS + 5 * (count * MAX_MISS) ** 0.5


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.8, 0.95, 1.0])
def test_bands_keep_the_promised_miss_rate(threshold):
    """The chosen rows keep to the bound, and one row more would not."""
    rows = rows_per_band(threshold)
    assert (1 - threshold**rows) ** (PERMUTATIONS // rows) <= MAX_MISS or rows == 1
    more = rows + 1
    assert more > PERMUTATIONS or (1 - threshold**more) ** (PERMUTATIONS // more) > MAX_MISS


def test_many_equal_sets_come_in_blocks(monkeypatch):
    """Where everything meets everything, pairs come in bounded blocks and none is lost."""
    monkeypatch.setattr("coffey.data.minhash.BLOCK_PAIRS", 7)
    same = signatures(shingles_of([np.arange(5)] * 6))
    blocks = list(BandIndex(same, 0.9).candidates(same))
    assert max(len(queries) for queries, _ in blocks) <= 7
    found = {
        pair for queries, places in blocks for pair in zip(queries.tolist(), places.tolist(), strict=True)
    }
    assert found == {(query, place) for query in range(6) for place in range(6)}
