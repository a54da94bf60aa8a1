"""A range is a number wherever one is needed, and keeps what it knows when it is copied."""

from __future__ import annotations

import contextlib
import copy
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.ranges import Range, how_to_write, read_number, read_range

ENDS = st.floats(min_value=-1e300, max_value=1e300)


@given(ENDS, ENDS)
def test_the_middle_lies_between_the_ends(one, other):
    """Geometric above 0, else arithmetic; never outside, whatever the ends."""
    low, high = sorted((one, other))
    made = Range(low, high)
    assert low <= made <= high
    if low > 1e-100 and high < 1e100:
        assert made == pytest.approx(math.sqrt(low * high))


@given(ENDS, ENDS)
def test_copies_are_the_same_range(one, other):
    """`copy`, `deepcopy` (which `asdict` uses) and `pickle` keep both ends."""
    made = Range(*sorted((one, other)))
    for again in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert (again, again.low, again.high) == (made, made.low, made.high)


@given(st.floats(min_value=0, max_value=1e12), st.floats(min_value=0, max_value=1e12))
def test_what_is_written_is_read_back(one, other):
    """Python's own spelling of numbers is one of those that are read."""
    low, high = sorted((one, other))
    found = read_range(f"{low!r}..{high!r}")
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize("ends", [(2.0, 1.0), (math.nan, 1.0), (0.0, math.inf)])
def test_what_is_no_range_is_refused(ends):
    """Ends the wrong way round, or none at all."""
    with pytest.raises(ValueError, match="no range"):
        Range(*ends)


@given(st.text())
def test_any_text_is_a_number_or_none_and_has_or_lacks_advice(text):
    """Whatever is written, reading it ends in a finite number, None or a ValueError."""
    number = read_number(text)
    assert number is None or math.isfinite(number)
    assert isinstance(how_to_write(text), str)
    with contextlib.suppress(ValueError):
        found = read_range(text)
        assert found.low <= found <= found.high


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("$5", "written without a sign: write 5"),
        ("2M USD", "written without a sign: write 2000000"),
        ("$1..$2", "written without a sign: write '1..2'"),
        ("£5", "convert it"),
        ("3K", "write 3000 without quotes"),
        ("2..1", "write '1..2'"),
        ("soon", ""),
        ("1..", ""),
    ],
)
def test_advice_says_what_to_write(text, advice):
    """Something that can be pasted, or nothing."""
    assert advice in how_to_write(text)
    assert bool(advice) == bool(how_to_write(text))


def test_a_range_is_shown_with_its_ends():
    """In messages it reads as it is written in a file."""
    assert str(Range(1, 100)) == "1..100"
    assert repr(Range(1, 100)) == "Range(1.0, 100.0)"
    with pytest.raises(ValueError, match="no range"):
        read_range("1..many")
