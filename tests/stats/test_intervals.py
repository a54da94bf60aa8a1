"""Intervals cover what they claim to cover, and say something honest where there is little to go on."""

import numpy as np
import pytest

from coffey.stats.intervals import (
    mean_score,
    paired_difference,
    paired_ratio,
    weighted_share,
    wilson,
)


def test_wilson_equals_published_values():
    """81 of 263: Newcombe (1998), table I, method 3."""
    interval = wilson(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (0, 0), (0.3, 0.7)])
def test_wilson_stays_within_zero_and_one(successes, n):
    """Extremes and fractions give bounds in [0, 1] around the value."""
    interval = wilson(successes, n)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    assert interval.low < interval.high


@pytest.mark.parametrize(("successes", "n"), [(-1, 10), (11, 10)])
def test_wilson_refuses_impossible_counts(successes, n):
    """A share outside [0, 1] is a mistake of the caller."""
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)


def test_wilson_covers():
    """95 % intervals hold the true share in about 95 % of 4000 experiments."""
    rng = np.random.default_rng(1)
    found = [wilson(s, 200) for s in rng.binomial(200, 0.9, size=4000)]
    covered = np.mean([interval.low <= 0.9 <= interval.high for interval in found])
    assert 0.94 < covered < 0.975


def test_equal_weights_change_nothing():
    """A weighted share with equal weights is Wilson's."""
    values = np.array([1, 1, 0, 1, 0, 1.0])
    weighted, plain = weighted_share(values, np.full(6, 0.3)), wilson(4, 6)
    np.testing.assert_allclose([weighted.low, weighted.high], [plain.low, plain.high])
    assert weighted_share(np.array([]), np.array([])).high == 1.0


def test_weights_undo_unequal_sampling():
    """Audits drawn more often where the student is bad still estimate agreement over all requests."""
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        hard = rng.random(4000) < 0.2
        agree = rng.random(4000) < np.where(hard, 0.5, 0.95)
        chance = np.where(hard, 0.5, 0.1)
        taken = rng.random(4000) < chance
        interval = weighted_share(agree[taken], 1 / chance[taken])
        covered += interval.low <= 0.2 * 0.5 + 0.8 * 0.95 <= interval.high
    assert covered >= 0.92 * 400


def test_ratio_covers():
    """Retention intervals hold the true ratio in about 95 % of 400 experiments."""
    rng = np.random.default_rng(3)
    covered = 0
    for seed in range(400):
        teacher = rng.random(500) < 0.9
        student = np.where(rng.random(500) < 0.93, teacher, rng.random(500) < 0.5)
        interval = paired_ratio(student, teacher, seed=seed, resamples=1000)
        covered += interval.low <= (0.93 * 0.9 + 0.07 * 0.5) / 0.9 <= interval.high
    assert covered >= 0.91 * 400


def test_ratio_resamples_both_together():
    """Answers that go together give a far narrower ratio than the same shares drawn apart."""
    rng = np.random.default_rng(4)
    teacher = rng.random(1000) < 0.7
    student = teacher & (rng.random(1000) < 0.99)
    together = paired_ratio(student, teacher, seed=0)
    apart = paired_ratio(rng.permutation(student), teacher, seed=0)
    assert together.high - together.low < 0.4 * (apart.high - apart.low)
    assert together == paired_ratio(student, teacher, seed=0)


def test_ratio_equals_the_resampled_examples():
    """The multinomial gives the quantiles that resampling row by row gives."""
    rng = np.random.default_rng(5)
    teacher, student = rng.random(300) < 0.8, rng.random(300) < 0.75
    rows = rng.integers(300, size=(20_000, 300))
    slow = np.quantile(student[rows].sum(axis=1) / teacher[rows].sum(axis=1), [0.025, 0.975])
    fast = paired_ratio(student, teacher, seed=0, resamples=20_000)
    np.testing.assert_allclose([fast.low, fast.high], slow, atol=0.006)


def test_ratio_without_anything_to_divide_by():
    """No example, or a teacher that is always wrong: everything is possible, and every bound is finite."""
    nothing = np.zeros(7, dtype=bool)
    assert paired_ratio(nothing, nothing, seed=0).high == 7
    assert paired_ratio(~nothing, nothing, seed=0).low == 0
    empty = np.array([], dtype=bool)
    assert (paired_ratio(empty, empty, seed=0).low, paired_ratio(empty, empty, seed=0).high) == (0, 1)
    only = np.array([True] + [False] * 9)
    assert np.isfinite(paired_ratio(~only, only, seed=0).high)


def test_equal_answers_are_not_certainty():
    """200 examples without a discordant one leave room for 1.8 % of discordant ones."""
    teacher = np.array([True] * 150 + [False] * 50)
    ratio = paired_ratio(teacher, teacher, seed=0)
    assert (ratio.value, round(1 - ratio.low, 3)) == (1.0, round(0.01827 * 200 / 150, 3))
    difference = paired_difference(teacher, teacher, seed=0)
    assert (difference.value, round(difference.high, 4)) == (0.0, 0.0183)


def test_difference_of_numbers_and_of_nothing():
    """Vectors of numbers are resampled too; equal numbers differ by exactly 0; no example knows nothing."""
    rng = np.random.default_rng(6)
    first = rng.normal(size=400)
    second = first - 0.3 + rng.normal(size=400)
    interval = paired_difference(first, second, seed=0, resamples=2000)
    assert interval.low < 0.3 < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    assert paired_difference(first, first, seed=0).high == 0
    assert paired_difference(first[:0], first[:0], seed=0).low == -1


def test_difference_in_chunks_is_the_same_kind_of_difference(monkeypatch):
    """Many distinct weights are resampled a chunk at a time."""
    monkeypatch.setattr("coffey.stats.intervals._CHUNK", 10_000)
    rng = np.random.default_rng(7)
    first, second = rng.random(200) < 0.9, rng.random(200) < 0.8
    weights = rng.uniform(0.5, 1, 200)
    chunked = paired_difference(first, second, seed=0, weights=weights, resamples=3000)
    plain = paired_difference(first, second, seed=0, resamples=3000)
    assert chunked.low == pytest.approx(plain.low, abs=0.04)


def test_weighted_difference_undoes_unequal_sampling():
    """A difference that only exists where audits are frequent is weighed down to its share of requests."""
    hard = np.array([True] * 500 + [False] * 500)
    weights = np.where(hard, 1.0, 9.0)
    interval = paired_difference(hard, np.zeros(1000, dtype=bool), seed=0, weights=weights)
    assert interval.value == pytest.approx(0.1)


def test_vectors_of_different_length_are_refused():
    """A pair without a partner is a mistake of the caller."""
    with pytest.raises(ValueError, match="same length"):
        paired_ratio(np.ones(3, dtype=bool), np.ones(4, dtype=bool), seed=0)


def test_scores_have_intervals_too():
    """Ratio and difference of scores in [0, 1] cover; equal scores claim no certainty."""
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(100):
        one = rng.choice([0.0, 0.5, 2 / 3, 1.0], size=300)
        two = np.where(rng.random(300) < 0.8, one, rng.choice([0.0, 0.5, 1.0], size=300))
        ratio = paired_ratio(two, one, seed=0, resamples=500)
        truth = (0.8 * (13 / 24) + 0.2 * 0.5) / (13 / 24)
        covered.append(ratio.low <= truth <= ratio.high)
        mean = mean_score(one)
        covered.append(mean.low <= 13 / 24 <= mean.high)
    assert np.mean(covered) > 0.93
    halves = np.full(50, 0.5)
    assert paired_difference(halves, halves, seed=0).low < 0
    assert paired_ratio(halves, halves, seed=0).low < 1
