"""Counts become distributions and back; chance alone is seldom called a difference."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coffey.teacher.sampled import chance_of_difference, counted, smoothed


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=150, max_size=150), min_size=1, max_size=3),
    st.floats(0, 3),
)
def test_counts_are_found_again_in_the_probabilities(rows, smoothing):
    """Also in float32, over many labels."""
    counts = np.array(rows)
    counts[:, 0] += 1400 - counts.sum(axis=1)
    found = smoothed(counts, smoothing)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(counted(found, 1400, smoothing), counts)


def test_one_teacher_asked_twice_is_seldom_called_another():
    """Of 200 pairs by one teacher, at most a twentieth or so has a chance below a twentieth."""
    rng = np.random.default_rng(0)
    chances = rng.dirichlet([0.3, 0.3, 0.3], size=8)
    pairs = [[rng.multinomial(4, chances) for _ in range(2)] for _ in range(200)]
    below = sum(chance_of_difference(one, other) < 0.05 for one, other in pairs)
    assert below <= 20  # a binomial of 200 and 0.05 is above 20 in less than 1 of 1,000 cases


def test_another_teacher_is_found():
    """Whose usual answers differ on half of sixteen texts."""
    first = np.tile([5, 0, 0], (16, 1))
    other = first.copy()
    other[::2] = [0, 5, 0]
    assert chance_of_difference(first, other) <= 0.001
    assert chance_of_difference(first, first) == 1.0
