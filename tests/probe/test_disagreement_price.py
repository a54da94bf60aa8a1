"""What a disagreement costs, and the retention that follows from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.probe.disagreement_price import Price, price_disagreement


def answers(seed: int, differs: tuple[float, ...], count: int = 1000) -> tuple[np.ndarray, ...]:
    """Students that differ from a teacher, right on 80 % of four labels, and are wrong or right there."""
    draw = np.random.default_rng(seed)
    hard = draw.integers(0, 4, count)
    teacher = np.where(draw.random(count) < 0.8, hard, (hard + draw.integers(1, 4, count)) % 4)
    other = (teacher + draw.integers(1, 4, count)) % 4
    apart = draw.random(count) < np.asarray(differs)[:, None]
    return np.where(apart, other, teacher), teacher, hard


def priced(seed: int, differs: tuple[float, ...] = (0.4, 0.3, 0.2), count: int = 1000) -> Price:
    """The price in those answers."""
    price = price_disagreement(*answers(seed, differs, count))
    assert price is not None
    return price


@given(st.integers(0, 50), st.floats(0.001, 0.5))
def test_retention_goes_to_one(seed: int, differs: float) -> None:
    """A student that loses against its teacher nears 1 from below as they differ less, and ends there."""
    price = priced(seed)
    far, near = (
        price.retention([share], confidence=0.8, holdout_rows=None) for share in (differs, differs / 4)
    )
    assert far.value < near.value < 1
    assert price.retention([0.0], confidence=0.8, holdout_rows=None).value == 1


@given(st.integers(0, 20), st.sampled_from([100, 1000, 10_000]))
def test_fewer_holdout_rows_widen(seed: int, count: int) -> None:
    """The interval holds the holdout's sampling error, and never reaches past all answers right."""
    price = priced(seed)
    few, many, all_of_them = (
        price.retention([0.2], confidence=0.8, holdout_rows=rows) for rows in (count, 10 * count, None)
    )
    assert few.high - few.low > many.high - many.low > all_of_them.high - all_of_them.low
    assert 0 <= few.low <= few.high <= 1 / price.accuracy


def test_fewer_measured_rows_widen() -> None:
    """What 200 rows say of the price is less certain than what 20,000 say."""
    few, many = (
        price.retention([0.2], confidence=0.8, holdout_rows=None)
        for price in (priced(0, count=200), priced(0, count=20_000))
    )
    assert few.high - few.low > many.high - many.low


def test_the_price_is_that_of_the_answers() -> None:
    """At the last training's disagreement the price gives the retention that was measured there."""
    students, teacher, hard = answers(7, (0.3,), count=50_000)
    hard[:10_000] = -1
    price = price_disagreement(students, teacher, hard)
    assert price is not None
    seen = (students[0] == hard).sum() / (teacher == hard).sum()
    at_reference = price.retention([price.reference], confidence=0.8, holdout_rows=None)
    assert at_reference.value == pytest.approx(seen, abs=1e-3)


def test_a_student_that_wins_has_a_price_below_zero() -> None:
    """Right where the teacher is wrong: retention lies above 1, and still ends at 1 where they agree."""
    _, teacher, hard = answers(8, (0.3,))
    half = np.arange(len(hard)) % 2 == 0
    price = price_disagreement(np.where(half, hard, teacher)[None], teacher, hard)
    assert price is not None
    assert price.retention([price.reference], confidence=0.8, holdout_rows=None).value > 1
    assert price.retention([0.0], confidence=0.8, holdout_rows=None).value == 1


def test_without_hard_labels_there_is_no_price() -> None:
    """No label, or a teacher that is never right: nothing to divide by."""
    students, teacher, hard = answers(3, (0.3, 0.2))
    assert price_disagreement(students, teacher, np.full(len(hard), -1)) is None
    assert price_disagreement(students, teacher, (teacher + 1) % 4) is None


def test_students_without_a_disagreement_leave_some_doubt() -> None:
    """No difference on 1,000 rows is not certainty."""
    _, teacher, hard = answers(5, (0.1,))
    price = price_disagreement(np.stack([teacher] * 4), teacher, hard)
    assert price is not None
    found = price.retention([0.001, 0.002], confidence=0.8, holdout_rows=1000)
    assert found.low < found.value < 1 / price.accuracy
    assert found.low < found.high
