"""A fall of a mean is seen whatever the level was, and hardly ever where nothing fell."""

import math

import numpy as np
import pytest

from coffey.stats.fall import BLOCK, evidence_of_fall
from coffey.stats.intervals import wilson


def ever_over(rng, draw, *, known, length, bar, runs=200, every=250):
    """Runs in which the evidence is over the bar at any look."""
    over = 0
    for _ in range(runs):
        scores, weights = draw(rng, length)
        looks = range(known + every, length + 1, every)
        over += any(
            evidence_of_fall(scores[:end], weights[:end], known=known).log_evidence >= bar for end in looks
        )
    return over


def uniform(mean):
    return lambda rng, n: ((rng.random(n) < mean).astype(float), np.ones(n))


def by_difficulty(rng, n):
    """A fifth of the requests is hard and audited five times as often; the mean over requests is 0.9."""
    hard = rng.random(n) < 1 / 1.8
    scores = (rng.random(n) < np.where(hard, 0.7, 0.95)).astype(float)
    return scores, np.where(hard, 0.2, 1.0)


def more_and_more_hard(rng, n):
    """The mean over requests stays 0.9 while more and more audits are of hard requests."""
    share = np.linspace(0.02, 0.33, n)
    hard = rng.random(n) < 5 * share / (1 + 4 * share)
    level = np.where(hard, 0.7, (0.9 - 0.7 * share) / (1 - share))
    return (rng.random(n) < level).astype(float), np.where(hard, 0.2, 1.0)


def rising(rng, n):
    """A mean that rises is no fall."""
    return (rng.random(n) < np.linspace(0.85, 0.95, n)).astype(float), np.ones(n)


@pytest.mark.parametrize("draw", [uniform(0.5), uniform(0.95), by_difficulty, more_and_more_hard, rising])
def test_evidence_without_a_fall_is_rare(draw):
    """Of 200 runs of 2000 scores looked at every 250, at most 1 in 5 is ever over 5 (Ville)."""
    rng = np.random.default_rng(71)
    over = ever_over(rng, draw, known=500, length=2000, bar=math.log(5))
    assert wilson(over, 200).low <= 0.2


def test_ignoring_the_weights_would_find_falls_that_are_none():
    """Hard requests that are audited more and more often look like a fall without weights."""
    rng = np.random.default_rng(72)
    runs = [more_and_more_hard(rng, 8000)[0] for _ in range(20)]
    assert np.median([evidence_of_fall(run, np.ones(8000)).log_evidence for run in runs]) > math.log(20)


def test_a_fall_is_seen_and_dated():
    """From 0.95 to 0.85 after 2000 scores: strong evidence, dated to within two blocks."""
    rng = np.random.default_rng(73)
    for _ in range(10):
        scores = (rng.random(3000) < np.r_[np.full(2000, 0.95), np.full(1000, 0.85)]).astype(float)
        fall = evidence_of_fall(scores, np.ones(3000))
        assert fall.log_evidence > math.log(1000)
        assert abs(fall.start - 2000) <= 2 * BLOCK


def test_what_was_known_before_can_be_all_there_is():
    """Scores that fell right after the known ones are compared with those."""
    scores = np.r_[np.ones(950), np.zeros(50), np.ones(160), np.zeros(40)]
    fall = evidence_of_fall(scores, np.ones(1200), known=1000)
    assert fall.log_evidence > math.log(100)
    assert fall.start == 1000


def test_a_weight_of_nothing_leaves_a_score_out():
    """Scores that do not count change nothing."""
    rng = np.random.default_rng(74)
    scores = (rng.random(1500) < np.r_[np.full(750, 0.95), np.full(750, 0.7)]).astype(float)
    weights = np.where(rng.random(1500) < 0.5, 1.0, 0.0)
    other = np.where(weights > 0, scores, 1 - scores)
    assert evidence_of_fall(scores, weights) == evidence_of_fall(other, weights)


@pytest.mark.parametrize("count", [0, 1, 30])
def test_little_is_no_evidence(count):
    """Nothing before, or nothing after, says nothing."""
    for known in (0, count):
        fall = evidence_of_fall(np.zeros(count), np.ones(count), known=known)
        assert (fall.log_evidence, fall.start) == (0.0, count)


def test_extreme_scores_stay_finite():
    """All ones and then all zeros: large, and a number."""
    fall = evidence_of_fall(np.r_[np.ones(20_000), np.zeros(20_000)], np.ones(40_000))
    assert 1000 < fall.log_evidence < math.inf
    assert fall.start == 20_000
