"""The step function rises, is never certain, and says what held rows say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.stats.confidence_bins import LEAST, fit_bins


def drawn(n, seed):
    """Confidences that mean what they say."""
    rng = np.random.default_rng(seed)
    confidence = 1 - 0.6 * rng.random(n) ** 3
    return confidence, rng.random(n) < confidence


def test_calibrated_confidence_is_found_again():
    """Of 20,000 rows, each bin's agreement is the mean confidence in it within 6 points."""
    confidence, agree = drawn(20_000, 1)
    bins = fit_bins(confidence, agree)
    index = np.array([bins.index(one) for one in confidence])
    assert len(bins) >= 5
    for number, level in enumerate(bins.agreement):
        assert abs(confidence[index == number].mean() - level) < 0.06
    assert bins.mean == pytest.approx(agree.mean(), abs=0.002)


@settings(max_examples=60, deadline=None)
@given(st.integers(LEAST, 600), st.integers(0, 10_000), st.sampled_from([1, 2, 9]))
def test_bins_rise_and_cover_everything(n, seed, decimals):
    """Whatever the rows, with ties or without: bins rise, none is certain, shares are those of `index`."""
    confidence, agree = drawn(n, seed)
    confidence = confidence.round(decimals)
    bins = fit_bins(confidence, agree)
    if bins is None:
        return
    assert list(bins.edges) == sorted(set(bins.edges))
    assert all(np.diff(bins.agreement) > 0)
    assert 0 < bins.agreement[0] < bins.agreement[-1] < 1
    counts = np.bincount([bins.index(one) for one in confidence], minlength=len(bins))
    np.testing.assert_allclose(counts / n, bins.share)


def test_nothing_is_fitted_to_too_few_rows_or_to_one_level():
    """Fewer than `LEAST` rows, one confidence, or confidence that says nothing: no bins."""
    confidence, agree = drawn(LEAST - 1, 2)
    assert fit_bins(confidence, agree) is None
    assert fit_bins(np.full(500, 0.9), np.ones(500)) is None
    rising = np.linspace(0.1, 0.9, 500)
    assert fit_bins(rising, rising < 0.5) is None


def test_scores_between_0_and_1_are_taken():
    """A multi-label task has scores, not only hits."""
    confidence, _ = drawn(2000, 3)
    bins = fit_bins(confidence, confidence * 0.9)
    assert bins.mean == pytest.approx(0.9 * confidence.mean(), abs=0.005)
