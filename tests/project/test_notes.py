"""Notes say what the figures alone would not, and nothing where there is nothing to say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.records import Interval
from coffey.distill.proof import StageDecision
from coffey.project.notes import seen_by_teacher, weak_proof


def right(share: float, rows: int) -> np.ndarray:
    return np.arange(rows) < round(share * rows)


def decision(value: float, half: float, rows: int = 100, *, kept: bool = False) -> StageDecision:
    return StageDecision(
        "2M", kept, "why", difference=Interval(value, value - half, value + half), examples=rows
    )


@pytest.mark.parametrize(
    ("learned", "held", "rows", "told"),
    [
        (0.99, 0.89, 1000, True),
        (0.99, 0.89, 20, False),
        (0.93, 0.89, 20000, False),
        (0.89, 0.89, 1000, False),
        (0.80, 0.89, 1000, False),
        (1.0, 1.0, 1000, False),
    ],
)
def test_a_teacher_that_knows_the_texts_is_told_of_beyond_chance(learned, held, rows, told):
    """Half the errors or fewer, on enough rows; both shares are in the sentence, and what to try."""
    note = seen_by_teacher(right(learned, rows), right(held, rows))
    assert (note is not None) == told
    if note:
        assert "99.0%" in note
        assert "89.0%" in note
        assert "data.augment = 4" in note


def test_a_teacher_of_one_quality_is_hardly_ever_told_of():
    """Of 400 teachers that err alike on both sets, at most 2 % are taken to know one of them."""
    draw = np.random.default_rng(5)
    told = [
        seen_by_teacher(draw.random(800) < share, draw.random(300) < share)
        for share in draw.uniform(0.7, 0.98, 400)
    ]
    assert sum(note is not None for note in told) <= 8


def test_without_a_labelled_row_nothing_is_told():
    """Neither set may be empty."""
    assert seen_by_teacher(right(0, 0), right(0.5, 100)) is None
    assert seen_by_teacher(right(1, 100), right(0, 0)) is None


@given(st.floats(0.001, 0.3), st.integers(1, 5000))
def test_a_proof_that_cannot_show_what_matters_says_how_many_rows_would(half, rows):
    """The rows that it names narrow the interval to the wanted gain."""
    note = weak_proof([decision(0.0, half, rows)], 0.02)
    assert (note is not None) == (half > 0.02)
    if note:
        needed = int(note.split("About ")[1].split(" held")[0].replace(",", ""))
        assert half * (rows / needed) ** 0.5 <= 0.02 + 1e-9


@pytest.mark.parametrize(
    "decided", [decision(0.1, 0.05, kept=True), decision(-0.1, 0.05), StageDecision("2M", False, "given up")]
)
def test_what_was_decided_needs_no_note(decided):
    """A stage that won, lost or was given up is no question of rows."""
    assert weak_proof([decided], 0.02) is None


def test_without_held_rows_no_number_of_rows_is_made_up():
    """Nothing can be scaled up from nothing."""
    note = weak_proof([decision(0.0, 1.0, 0)], 0.02)
    assert note.endswith("on 0 held rows: that it was dropped does not show it useless.")
