"""The interval holds at every moment at once, for every way of sampling audits."""

import math

import numpy as np
import pytest

from coffey.stats.confidence_sequence import ConfidenceSequence, log_capital, log_factors
from coffey.stats.intervals import wilson


def ever_excluded(scores, weights, mean, confidence=0.95):
    """Whether the run ever excluded `mean` from either side, by the gamblers' money over time."""
    bar = math.log(2 / (1 - confidence))
    sides = ((scores, mean), (1 - scores, 1 - mean))
    return any(
        (log_capital(np.cumsum(log_factors(side, weights, m), axis=0)) >= bar).any() for side, m in sides
    )


@pytest.mark.parametrize("mean", [0.5, 0.9, 0.98])
def test_the_true_mean_is_hardly_ever_excluded(mean):
    """Of 200 runs of 800 scores, at most 5 % exclude the truth at any moment."""
    rng = np.random.default_rng(21)
    runs = (rng.random((200, 800)) < mean).astype(float)
    missed = sum(ever_excluded(run, np.ones(800), mean) for run in runs)
    assert wilson(missed, 200).low <= 0.05


def test_the_true_mean_is_hardly_ever_excluded_with_weights():
    """The same where hard inputs are audited five times as often; without weights it would be excluded."""
    rng = np.random.default_rng(22)
    hard = rng.random((200, 800)) < 0.1 / 0.18
    scores = (rng.random((200, 800)) < np.where(hard, 0.7, 0.95)).astype(float)
    weights = np.where(hard, 0.2, 1.0)
    missed = sum(ever_excluded(s, w, 0.9) for s, w in zip(scores, weights, strict=True))
    assert wilson(missed, 200).low <= 0.05
    assert ever_excluded(scores[0], np.ones(800), 0.9)


def test_the_ends_are_where_the_money_reaches_the_bar():
    """The bisected ends exclude exactly what the capital excludes."""
    scores, weights = np.array([1.0] * 90 + [0.0] * 10), np.array([1.0, 0.5] * 50)
    sequence = ConfidenceSequence()
    sequence.extend(scores.tolist(), weights.tolist())
    interval, bar = sequence.interval(), math.log(40)

    def against(mean):
        return float(log_capital(log_factors(scores, weights, mean).sum(axis=0)))

    assert against(interval.low - 1e-6) > bar > against(interval.low + 1e-6)


def test_it_narrows_around_the_mean():
    """After 20,000 scores it is under 2 points wide, wider than Wilson's single look, and holds the mean."""
    rng = np.random.default_rng(23)
    sequence = ConfidenceSequence()
    scores = (rng.random(20_000) < 0.9).astype(float)
    sequence.extend(scores.tolist(), [1.0] * 20_000)
    interval, once = sequence.interval(), wilson(scores.sum(), 20_000)
    assert interval.low <= 0.9 <= interval.high
    assert once.high - once.low < interval.high - interval.low < 0.02
    assert (sequence.count, interval.method) == (20_000, "betting")


def test_distinct_scores_are_taken_too():
    """Scores that are all different, with all different weights, give an interval around their mean."""
    rng = np.random.default_rng(24)
    sequence = ConfidenceSequence()
    sequence.extend(rng.beta(9, 1, 3000).tolist(), rng.uniform(0.2, 1, 3000).tolist())
    interval = sequence.interval()
    assert interval.low < 0.9 < interval.high
    assert interval.high - interval.low < 0.04


def test_nothing_seen_excludes_nothing():
    """Before the first score the interval is [0, 1]."""
    interval = ConfidenceSequence().interval()
    assert (interval.value, interval.low, interval.high) == (0.5, 0.0, 1.0)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_unanimous_scores_leave_one_end_open(score):
    """A hundred equal scores at an extreme exclude only the other side."""
    sequence = ConfidenceSequence()
    sequence.extend([score] * 100, [1.0] * 100)
    interval = sequence.interval()
    assert interval.value == score
    assert (interval.low == 0.0) if score == 0 else (interval.high == 1.0)
    assert 0.03 < interval.high - interval.low < 0.1


def test_the_weighted_mean_is_the_value():
    """Scores count by their weight."""
    sequence = ConfidenceSequence()
    sequence.extend([1.0, 0.0], [1.0, 0.25])
    assert sequence.interval().value == pytest.approx(0.8)


def test_values_out_of_range_are_refused():
    """Scores and weights outside their range would void the guarantee."""
    for score, weight in ((1.1, 1.0), (-0.1, 1.0), (math.nan, 1.0), (0.5, 0.0), (0.5, 1.5)):
        with pytest.raises(ValueError, match="expected"):
            ConfidenceSequence().update(score, weight)
    with pytest.raises(ValueError, match="confidence"):
        ConfidenceSequence(1.0)
