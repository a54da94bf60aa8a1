"""Word 3-grams are the same sets whether they are compared as tuples or hashed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coffey.data.shingles import Numbering, hash_shingles, jaccard, triples, words

NUMBERS = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=12), min_size=1, max_size=8)


@given(NUMBERS)
def test_hashed_sets_have_the_sizes_and_the_overlaps_of_the_sets_of_tuples(texts):
    """Per text one hash a distinct 3-gram, and two texts share as many hashes as 3-grams."""
    hashed = hash_shingles(texts)
    parts = np.split(hashed.hashes, hashed.starts[1:-1])
    sets = [triples(text) for text in texts]
    assert [len(part) for part in parts] == [len(one) for one in sets]
    for part, one in zip(parts, sets, strict=True):
        assert len(np.intersect1d(parts[0], part)) == len(sets[0] & one)


@given(NUMBERS, NUMBERS)
def test_jaccard_is_a_similarity(left, right):
    """It is symmetric, from 0 to 1, and 1 exactly for equal sets."""
    one, other = triples(left[0]), triples(right[0])
    assert jaccard(one, other) == jaccard(other, one)
    assert 0 <= jaccard(one, other) <= 1
    assert (jaccard(one, other) == 1) == (one == other)


def test_looked_up_words_are_forgotten():
    """Unknown words are told apart within a call, match no known word, and leave nothing behind."""
    numbering = Numbering()
    known = numbering.learn(["a", "b"])
    assert numbering.look_up([["b", "x"], ["x", "y", "a"]]) == [[known[1], 3], [3, 4, known[0]]]
    assert numbering.look_up([["z"]]) == [[3]]


def test_words_of_scripts_without_spaces_are_characters():
    """A Chinese sentence is not one word; accents and case of spaced scripts are handled."""
    assert words("今天天气好") == list("今天天气好")
    assert words("Äpfel und Öl") == ["äpfel", "und", "öl"]
    assert words("  😀  😀 ") == ["😀 😀"]
