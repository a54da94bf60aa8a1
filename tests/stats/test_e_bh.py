"""The false discovery rate is kept, whatever the e-values depend on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.stats.e_bh import e_bh
from coffey.stats.intervals import wilson


@given(st.lists(st.floats(0, 50), min_size=1, max_size=30), st.floats(0.01, 0.5))
def test_it_is_the_procedure_of_the_paper(logs, rate):
    """The k largest, for the largest k of which the k-th is at least K / (k · rate); counted one by one."""
    count = len(logs)
    ranked = sorted(logs, reverse=True)
    sizes = [k for k in range(1, count + 1) if ranked[k - 1] >= math.log(count / rate) - math.log(k)]
    expected = [log >= ranked[sizes[-1] - 1] if sizes else False for log in logs]
    assert e_bh(logs, rate).tolist() == expected


def test_the_rate_is_kept_where_e_values_depend_on_each_other():
    """500 families of 20, of which 15 are true and share their luck: the mean false share is at most 10 %."""
    rng = np.random.default_rng(81)
    shares = []
    for _ in range(500):
        z = 0.8 * rng.standard_normal() + 0.6 * rng.standard_normal(20)
        z[15:] += 4
        found = e_bh(2 * z - 2, 0.1)  # likelihood ratios of a mean of 2 against 0: their mean is 1
        shares.append(found[:15].sum() / max(1, found.sum()))
    assert np.mean(shares) - 2 * np.std(shares) / math.sqrt(500) <= 0.1


def test_while_all_are_true_little_is_found():
    """Of 500 families without any effect at most 10 % name anything."""
    rng = np.random.default_rng(82)
    named = sum(bool(e_bh(2 * rng.standard_normal(20) - 2, 0.1).any()) for _ in range(500))
    assert wilson(named, 500).low <= 0.1


def test_no_hypothesis_and_no_rate():
    """Nothing is found among nothing; a rate outside (0, 1) is refused."""
    assert e_bh([], 0.1).tolist() == []
    for rate in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="rate"):
            e_bh([1.0], rate)
