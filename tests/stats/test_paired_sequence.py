"""Which of two is better is said falsely as seldom as promised, however often one looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.stats.confidence_sequence import log_factors
from coffey.stats.intervals import wilson
from coffey.stats.paired_sequence import FRACTIONS, PairedSequence

RATE = 0.025
RUNS, UNITS = 500, 400


def ever_over(differences, weights, margin=0.0, rate=RATE):
    """Whether each run [runs, n] was ever shown to be over the margin, looked at after each difference."""
    kinds, which = np.unique(
        np.stack([differences, weights], axis=-1).reshape(-1, 2), axis=0, return_inverse=True
    )
    logs = log_factors((1 + kinds[:, 0]) / 2, kinds[:, 1], (1 + margin) / 2, FRACTIONS)
    best = np.exp(np.cumsum(logs[which.reshape(differences.shape)], axis=1)).mean(axis=-1).max(axis=1)
    return best >= 1 / rate


def drawn(rng, won, lost, shape=(RUNS, UNITS)):
    """Differences of +1 and -1 in these shares, else 0."""
    at = rng.random(shape)
    return (at < won).astype(float) - ((at >= won) & (at < won + lost)).astype(float)


@pytest.mark.parametrize("differing", [0.1, 0.4, 1.0])
def test_equal_students_are_hardly_ever_told_apart(differing):
    """500 runs without a difference in the mean, looked at after each request: at most the stated rate."""
    x = drawn(np.random.default_rng(1), differing / 2, differing / 2)
    for sign in (1, -1):
        assert wilson(ever_over(sign * x, np.ones_like(x)).sum(), RUNS).low <= RATE


def test_the_rate_holds_where_texts_stand_for_many_requests():
    """The challenger wins rare texts and loses frequent ones: over requests it is no better.

    Counted by texts it would be better in most runs.
    """
    rng = np.random.default_rng(2)
    frequent = rng.random((RUNS, UNITS)) < 0.2
    x = np.where(frequent, -1.0, np.where(rng.random((RUNS, UNITS)) < 0.75, 1.0, -1.0))
    weights = np.where(frequent, 1.0, 0.5)
    assert float((np.array([0.2, 0.6, 0.2]) * [-1.0, 0.5, -0.5]).sum()) == pytest.approx(0.0)
    assert wilson(ever_over(x, weights).sum(), RUNS).low <= RATE
    assert ever_over(x, np.ones_like(x)).mean() > 0.8


def test_the_rate_holds_at_a_margin():
    """A gain of exactly the margin is not over it, though surely over 0."""
    x = drawn(np.random.default_rng(3), 0.25, 0.2)
    assert wilson(ever_over(x, np.ones_like(x), margin=0.05).sum(), RUNS).low <= RATE
    assert ever_over(x, np.ones_like(x)).mean() > ever_over(x, np.ones_like(x), margin=0.05).mean()


def test_what_is_better_is_found():
    """Where the teacher sides with one in 70 of 100 differing requests, 100 of them are enough, mostly."""
    x = drawn(np.random.default_rng(4), 0.7, 0.3, shape=(RUNS, 100))
    assert ever_over(x, np.ones_like(x)).mean() > 0.75


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([-1.0, -0.5, 0.5, 1.0]), st.floats(0.1, 1)), min_size=1, max_size=40),
    st.integers(0, 1000),
)
def test_agreeing_requests_need_not_be_asked_about(outcomes, alike):
    """They change nothing about which is better, and only narrow the gain."""
    without, both = PairedSequence(error_rate=RATE), PairedSequence(error_rate=RATE)
    for difference, weight in outcomes:
        without.update(difference, weight)
        both.update(difference, weight)
    both.update(0.0, times=alike)
    for sign in (1, -1):
        assert both.log_evidence(sign=sign) == pytest.approx(without.log_evidence(sign=sign))
    assert abs(both.interval().value) <= abs(without.interval().value) + 1e-9


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 300))
def test_the_interval_says_what_the_tests_say(won, lost, alike):
    """Its ends are the margins at which better and worse are shown; it turns over with the roles."""
    sequence, turned = PairedSequence(error_rate=RATE), PairedSequence(error_rate=RATE)
    sequence.extend([(1.0, 1.0, won), (-1.0, 1.0, lost), (0.0, 1.0, alike)])
    turned.extend([(-1.0, 1.0, won), (1.0, 1.0, lost), (0.0, 1.0, alike)])
    found, other = sequence.interval(), turned.interval()
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (found.low > 1e-9) <= sequence.is_over(0.0)
    assert (found.high < -1e-9) <= sequence.is_under(0.0)
    if found.low > -1 and found.high < 1:
        assert not sequence.is_over(found.low + 1e-6)
        assert not sequence.is_under(found.high - 1e-6)
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low), abs=1e-6)
    assert found.confidence == pytest.approx(0.95)


def test_few_differences_show_that_neither_is_much_worse():
    """1,000 agreeing requests and not one label: the gain is small on either side."""
    sequence = PairedSequence(error_rate=RATE)
    sequence.update(0.0, times=1000)
    assert sequence.is_over(-0.02)
    assert sequence.is_under(0.02)
    assert not sequence.is_over(0.0)
    assert not sequence.is_under(0.0)


def test_it_goes_on_from_what_was_kept():
    """The outcomes of one make another one that is equal."""
    one, other = PairedSequence(error_rate=RATE), PairedSequence(error_rate=RATE)
    one.extend([(1.0, 0.25, 3.0), (0.0, 1.0, 12.5), (1.0, 0.25, 2.0), (-0.5, 1.0, 1.0)])
    other.extend(one.outcomes)
    assert other.outcomes == one.outcomes == ((-0.5, 1.0, 1.0), (0.0, 1.0, 12.5), (1.0, 0.25, 5.0))
    assert other.interval() == one.interval()


def test_nothing_seen_shows_nothing():
    """No evidence, every gain possible."""
    sequence = PairedSequence(error_rate=RATE)
    found = sequence.interval()
    assert (found.value, found.low, found.high) == (0.0, -1.0, 1.0)
    assert not sequence.is_over(-0.99)
    assert not sequence.is_under(0.99)


def test_values_out_of_range_are_refused():
    """They would void the promise."""
    sequence = PairedSequence(error_rate=RATE)
    for difference, weight, times in ((1.1, 1, 1), (math.nan, 1, 1), (0.5, 0, 1), (0.5, 1.5, 1), (0, 1, -1)):
        with pytest.raises(ValueError, match="expected"):
            sequence.update(difference, weight, times)
    for rate in (0.0, 0.5):
        with pytest.raises(ValueError, match="error_rate"):
            PairedSequence(error_rate=rate)
