"""Percentile intervals cover whatever the distribution."""

import numpy as np
import pytest

from coffey.stats.percentiles import binomial_cumulative, percentile


@pytest.mark.parametrize(("share", "n"), [(0.5, 60), (0.95, 400), (0.99, 1500)])
def test_intervals_cover(share, n):
    """At least 95 % of the intervals from a heavy-tailed distribution hold the true percentile."""
    rng = np.random.default_rng(31)
    true = (1 - share) ** (-1 / 1.5) - 1
    found = [percentile(rng.pareto(1.5, n), share) for _ in range(600)]
    assert np.mean([interval.low <= true <= interval.high for interval in found]) >= 0.935


def test_nearest_rank():
    """The value is an observed one: the smallest with at least that share at or below it."""
    values = np.arange(1.0, 101.0)
    assert [percentile(values, share).value for share in (0.01, 0.5, 0.99)] == [1, 50, 99]


def test_too_few_values_say_which_side_is_open():
    """50 values cannot bound p99 from above, nor 3 the median from either side."""
    assert percentile(np.arange(50.0), 0.99).method == "order-statistics, open above"
    assert percentile(np.arange(3.0), 0.5).method == "order-statistics, open below, open above"
    assert percentile(np.arange(1000.0), 0.99).method == "order-statistics"


def test_binomial_sums_equal_the_reference():
    """The cumulative sums agree with scipy for small and large n."""
    binom = pytest.importorskip("scipy.stats").binom
    for n, share in ((1, 0.3), (50, 0.5), (20_000, 0.99)):
        expected = binom.cdf(np.arange(n + 1), n, share)
        np.testing.assert_allclose(binomial_cumulative(n, share), expected, atol=1e-10)


@pytest.mark.parametrize(("count", "share"), [(0, 0.5), (5, 0.0), (5, 1.0)])
def test_nothing_to_rank_is_refused(count, share):
    """A percentile needs values and a share inside (0, 1)."""
    with pytest.raises(ValueError, match="share"):
        percentile(np.arange(float(count)), share)
