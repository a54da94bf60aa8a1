"""What is lost and won against the teacher, and the retention that follows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.probe.disagreement import disagreement
from coffey.probe.lost_and_won import JudgedOn, LostAndWon, lost_and_won

ROWS = (500, 1000, 2000)


def answers(
    seed: int, lost: tuple[float, ...] = (0.3, 0.2, 0.1), *, won: float = 0.3, count: int = 1000
) -> tuple[np.ndarray, ...]:
    """Students that lose these shares where a teacher is right, on 80 % of four labels, and win elsewhere."""
    draw = np.random.default_rng(seed)
    hard = draw.integers(0, 4, count)
    is_right = draw.random(count) < 0.8
    teacher = np.where(is_right, hard, (hard + draw.integers(1, 4, count)) % 4)
    ease, luck = draw.random(count), draw.random(count)
    where_right = np.where(ease < np.asarray(lost)[:, None], (hard + 1) % 4, hard)
    return np.where(is_right, where_right, np.where(luck < won, hard, teacher)), teacher, hard


def found(seed: int, lost: tuple[float, ...] = (0.3, 0.2, 0.1), count: int = 1000) -> LostAndWon:
    """What those answers show."""
    split = lost_and_won(ROWS[-len(lost) :], *answers(seed, lost, count=count))
    assert split is not None
    return split


def test_shares_are_those_of_the_answers() -> None:
    """Rows without a label count for nothing."""
    students, teacher, hard = answers(7, count=50_000)
    hard[:10_000] = -1
    split = lost_and_won(ROWS, students, teacher, hard)
    assert split is not None
    assert split.rows == 40_000
    assert split.accuracy == pytest.approx(0.8, abs=0.01)
    assert split.won == pytest.approx(0.3, abs=0.02)
    assert split.lost.errors == pytest.approx([0.3, 0.2, 0.1], abs=0.01)


def test_retention_at_the_last_training_is_the_one_that_was_measured() -> None:
    """Nothing is extrapolated there: the accuracy of the student over that of the teacher."""
    students, teacher, hard = answers(3, count=50_000)
    split = lost_and_won(ROWS, students, teacher, hard)
    assert split is not None
    seen = (students[-1] == hard).sum() / (teacher == hard).sum()
    last = [float(split.lost.errors[-1])]
    assert split.retention(last, rows=ROWS[-1], confidence=0.8, holdout=None).value == pytest.approx(
        seen, abs=1e-3
    )


@settings(deadline=None)
@given(st.integers(0, 50), st.floats(0.001, 0.5))
def test_who_loses_less_retains_more(seed: int, lost: float) -> None:
    """Up to what is won, which is above 1; never more than all answers right."""
    split = found(seed)
    far, near, none = (
        split.retention([share], rows=8000, confidence=0.8, holdout=None) for share in (lost, lost / 4, 0.0)
    )
    assert far.value < near.value < none.value
    assert 1 < none.value <= none.high <= 1 / split.accuracy
    assert 0 <= far.low < far.high


@settings(deadline=None)
@given(st.integers(0, 20), st.sampled_from([100, 1000, 10_000]))
def test_fewer_holdout_rows_widen(seed: int, count: int) -> None:
    """The interval holds the holdout's sampling error."""
    split = found(seed)
    few, many, all_of_them = (
        split.retention([0.2], rows=2000, confidence=0.8, holdout=rows and JudgedOn(rows))
        for rows in (count, 10 * count, None)
    )
    assert few.high - few.low > many.high - many.low > all_of_them.high - all_of_them.low


def test_a_better_teacher_leaves_less_to_win() -> None:
    """The holdout's teacher is not the transfer set's: what it gets wrong there is what can be won."""
    worse, same, better = (
        found(0, count=50_000).retention([0.1], rows=2000, confidence=0.8, holdout=JudgedOn(1000, accuracy))
        for accuracy in (0.6, None, 0.95)
    )
    assert worse.value == pytest.approx(0.9 + 0.3 * 0.4 / 0.6, abs=0.03)
    assert better.value == pytest.approx(0.9 + 0.3 * 0.05 / 0.95, abs=0.02)
    assert worse.value > same.value > better.value


@settings(deadline=None, max_examples=20)
@given(st.floats(0.3, 0.95), st.floats(0.02, 0.6), st.integers(200, 3000), st.booleans())
def test_the_interval_holds_the_sampling_error_of_a_holdout(
    accuracy: float, won: float, count: int, known: bool
) -> None:
    """Drawn holdouts of one student show the spread that is stated, whether the teacher's share is known."""
    draw, lost = np.random.default_rng(count), 0.15
    right = draw.random((2000, count)) < accuracy if not known else np.arange(count) < round(accuracy * count)
    student = np.where(right, draw.random((2000, count)) >= lost, draw.random((2000, count)) < won)
    shown = student.sum(axis=1) / np.broadcast_to(right, student.shape).sum(axis=1)
    split = LostAndWon(
        lost=disagreement([2000], np.zeros((1, 4), np.int64), np.ones(4, np.int64)),
        won=won,
        accuracy=accuracy,
        rows=10**9,
    )
    holdout = JudgedOn(count, float(np.mean(right)) if known else None)
    made = split.retention([lost], rows=2000, confidence=0.8, holdout=holdout)
    assert np.mean((made.low <= shown) & (shown <= made.high)) == pytest.approx(0.8, abs=0.05)


def test_fewer_measured_rows_widen() -> None:
    """What 200 rows say of what is won is less certain than what 20,000 say."""
    few, many = (
        found(0, count=count).retention([0.2], rows=2000, confidence=0.8, holdout=None)
        for count in (200, 20_000)
    )
    assert few.high - few.low > many.high - many.low


def test_the_further_the_law_is_followed_the_less_is_certain() -> None:
    """At the largest training it was measured; each doubling of the rows adds doubt."""
    widths = [
        interval.high - interval.low
        for interval in (
            found(1).retention([0.2], rows=rows, confidence=0.8, holdout=None)
            for rows in (2000, 4000, 16_000)
        )
    ]
    assert widths[0] < widths[1] < widths[2]


def test_without_hard_labels_there_is_nothing_to_retain() -> None:
    """No label, or a teacher that is never right: nothing to divide by."""
    students, teacher, hard = answers(3)
    assert lost_and_won(ROWS, students, teacher, np.full(len(hard), -1)) is None
    assert lost_and_won(ROWS, students, teacher, (teacher + 1) % 4) is None


def test_a_teacher_without_an_error_leaves_some_doubt() -> None:
    """Nothing can be won of it, and no loss on 1,000 rows is not certainty."""
    _, teacher, _ = answers(5)
    split = lost_and_won(ROWS, np.stack([teacher] * 3), teacher, teacher)
    assert split is not None
    made = split.retention([0.001, 0.002], rows=8000, confidence=0.8, holdout=JudgedOn(1000))
    assert made.low < made.value <= 1
