"""The validation split depends on the text and the seed alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffey.core.ids import input_key
from coffey.data.split import in_validation

KEYS = [input_key(str(number)) for number in range(20_000)]


def test_the_share_is_kept():
    """About the asked share of distinct inputs is in: within 5 standard deviations of a fair draw."""
    for share in (0.01, 0.1, 0.5):
        count = sum(in_validation(key, share=share, seed=17) for key in KEYS)
        spread = (len(KEYS) * share * (1 - share)) ** 0.5
        assert abs(count - share * len(KEYS)) < 5 * spread


def test_another_seed_is_another_split():
    """Seeds split independently."""
    both = sum(in_validation(key, share=0.5, seed=1) == in_validation(key, share=0.5, seed=2) for key in KEYS)
    assert abs(both - len(KEYS) / 2) < 5 * (len(KEYS) / 4) ** 0.5


@given(st.text(), st.floats(0, 1), st.floats(0, 1), st.integers(0))
def test_a_larger_share_keeps_what_a_smaller_one_had(text, one, other, seed):
    """Raising the share moves inputs into validation only, never out."""
    key = input_key(text)
    low, high = sorted((one, other))
    assert in_validation(key, share=low, seed=seed) <= in_validation(key, share=high, seed=seed)
    assert in_validation(key, share=1.0, seed=seed)
    assert not in_validation(key, share=0.0, seed=seed)
