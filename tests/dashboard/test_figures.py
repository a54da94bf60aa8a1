"""Figures are written with sensible digits, the same everywhere."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.records import Interval
from coffey.dashboard import figures


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.count(999_999), "1M"),
        (figures.count(1_234_000), "1.23M"),
        (figures.count(0), "0"),
        (figures.size(999_700), "1.00 MB"),
        (figures.usd(0.000012), "$0.000012"),
        (figures.usd(99.999), "$100"),
        (figures.usd(-4120), "−$4,120"),
        (figures.days(1.0), "1 day"),
        (figures.days(400), "400 days"),
        (figures.days(0.0), "0 days"),
        (figures.days(1e-6), "under a minute"),
        (figures.days(math.inf), "never"),
        (figures.milliseconds(0.0), "0 ms"),
        (figures.milliseconds(0.05), "0.0500 ms"),
        (figures.seconds(59.7), "1 min 00 s"),
        (figures.seconds(0.012345), "0.0123 s"),
        (figures.interval(Interval(0.5, 0.5, 0.5)), "0.500 (0.500–0.500)"),
        (figures.interval(Interval(0.01, -0.02, 0.04)), "0.010 (−0.020 to 0.040)"),
        (figures.percent(-0.031), "−3.1 %"),
        (figures.measured(0.012, "USD/h"), "$0.012/h"),
        (figures.moment("yesterday"), "yesterday"),
        (figures.short("x" * 200, 10), "xxxxxxxxx…"),
    ],
)
def test_figures_read_well(shown: str, expected: str) -> None:
    """Edge cases: rounding into the next unit, zero, never, signs, very small money."""
    assert shown == expected


@given(
    st.floats(-1e15, 1e15, allow_nan=False), st.sampled_from(["", "ms", "s", "USD", "days", "bytes", "USD/h"])
)
def test_no_figure_is_written_in_exponents(value: float, unit: str) -> None:
    """Whatever the number, people read digits."""
    assert "e+" not in figures.measured(value, unit)
    assert "e-" not in figures.measured(value, unit)


@given(st.text(max_size=300), st.integers(2, 50))
def test_a_shortened_text_is_one_short_line(text: str, limit: int) -> None:
    """No text of an example is longer than its limit or breaks a line."""
    found = figures.short(text, limit)
    assert len(found) <= limit
    assert "\n" not in found
