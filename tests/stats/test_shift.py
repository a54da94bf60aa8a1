"""Shift tests raise few false alarms, see real shifts, and agree with references."""

import numpy as np
import pytest

from coffey.stats.intervals import wilson
from coffey.stats.shift import (
    holm,
    jensen_shannon,
    shift_of_labels,
    shift_of_numbers,
    shift_of_vectors,
)


def test_numbers_agree_with_the_reference():
    """Statistic equal to scipy's, p-value close to its exact one."""
    ks_2samp = pytest.importorskip("scipy.stats").ks_2samp
    rng = np.random.default_rng(41)
    for shift in (0.0, 0.2, 1.0):
        one, two = rng.normal(size=150), rng.normal(shift, size=220)
        expected, found = ks_2samp(one, two), shift_of_numbers(one, two)
        assert found.statistic == pytest.approx(expected.statistic)
        assert found.p_value == pytest.approx(expected.pvalue, abs=0.03)


def test_equal_samples_did_not_move():
    """The same numbers, vectors and labels have no effect size and a p-value of 1."""
    numbers = np.arange(50.0)
    assert (shift_of_numbers(numbers, numbers).effect, shift_of_numbers(numbers, numbers).p_value) == (0, 1)
    labels = ["a"] * 30 + ["b"] * 20
    assert shift_of_labels(labels, labels, seed=0).effect == pytest.approx(0, abs=1e-9)
    assert shift_of_labels(labels, labels, seed=0).p_value == 1
    same = np.ones((30, 4))
    assert shift_of_vectors(same, same, seed=0, permutations=50).p_value == 1


def test_false_alarms_are_rare():
    """Samples of the same distribution give p <= 0.05 in at most 5 % of 200 tests of each kind."""
    rng = np.random.default_rng(42)
    low = np.zeros(3)
    for seed in range(200):
        numbers, vectors = rng.integers(0, 30, (2, 80)), rng.normal(size=(2, 30, 5))
        labels = rng.choice(["a", "b", "c"], size=(2, 80), p=[0.7, 0.2, 0.1])
        low += [
            shift_of_numbers(*numbers).p_value <= 0.05,
            shift_of_vectors(*vectors, seed=seed, permutations=99).p_value <= 0.05,
            shift_of_labels(labels[0].tolist(), labels[1].tolist(), seed=seed, permutations=99).p_value
            <= 0.05,
        ]
    assert all(wilson(count, 200).low <= 0.05 for count in low)


def test_real_shifts_are_seen():
    """A quarter of a deviation in every one of 16 features, and a changed mix, are significant."""
    rng = np.random.default_rng(43)
    one, two = rng.normal(size=(300, 16)), rng.normal(0.25, 1, size=(350, 16))
    moved = shift_of_vectors(one, two, seed=0)
    assert (moved.p_value, moved.method) == (pytest.approx(1 / 2001), "mmd")
    assert moved.effect > 0.05
    labels = shift_of_labels(["a"] * 80 + ["b"] * 20, ["a"] * 55 + ["b"] * 40 + ["c"] * 5, seed=0)
    assert labels.p_value < 0.01


def test_vectors_equal_the_definition():
    """The unbiased MMD² is Gretton's equation 3 with the median bandwidth."""
    rng = np.random.default_rng(44)
    one, two = rng.normal(size=(12, 3)), rng.normal(1, 1, size=(9, 3))
    pooled = np.concatenate([one, two])
    squared = ((pooled[:, None] - pooled[None]) ** 2).sum(axis=2)
    kernel = np.exp(-squared / (2 * np.median(squared[np.triu_indices(21, 1)])))
    within_one = (kernel[:12, :12].sum() - 12) / (12 * 11)
    within_two = (kernel[12:, 12:].sum() - 9) / (9 * 8)
    expected = within_one + within_two - 2 * kernel[:12, 12:].mean()
    assert shift_of_vectors(one, two, seed=0, permutations=9).statistic == pytest.approx(expected)


def test_large_samples_are_thinned():
    """The kernel test looks at a bounded number of rows and is the same for the same seed."""
    rng = np.random.default_rng(45)
    one, two = rng.normal(size=(5000, 4)), rng.normal(1, 1, size=(3000, 4))
    found = [shift_of_vectors(one, two, seed=1, permutations=99, rows=60) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].p_value == pytest.approx(0.01)


def test_jensen_shannon_spans_zero_to_one():
    """Equal mixes are at distance 0, disjoint ones at distance 1."""
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert (jensen_shannon(a, a), jensen_shannon(a, b)) == (0.0, pytest.approx(1.0))


def test_labels_equal_the_g_test():
    """The statistic is scipy's log-likelihood ratio without correction."""
    contingency = pytest.importorskip("scipy.stats").chi2_contingency
    found = shift_of_labels(["a"] * 30 + ["b"] * 10, ["a"] * 20 + ["b"] * 25, seed=0, permutations=2000)
    expected = contingency([[30, 10], [20, 25]], correction=False, lambda_="log-likelihood")
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue, abs=0.02)


def test_holm_keeps_order_and_bounds():
    """Adjusted values are never smaller than raw ones, never over 1, and follow their order."""
    raw = [0.2, 0.9, 0.001, 0.04]
    adjusted = holm(raw)
    assert adjusted == pytest.approx((0.4, 0.9, 0.004, 0.12))
    assert holm([]) == ()


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0)])
def test_empty_samples_are_refused(sizes):
    """Nothing can be said about nothing."""
    one, two = np.ones(sizes[0]), np.ones(sizes[1])
    with pytest.raises(ValueError, match="not empty"):
        shift_of_numbers(one, two)
    with pytest.raises(ValueError, match="not empty"):
        shift_of_labels(["a"] * sizes[0], ["a"] * sizes[1], seed=0)
    with pytest.raises(ValueError, match="not empty"):
        shift_of_vectors(one[:, None], two[:, None], seed=0)
