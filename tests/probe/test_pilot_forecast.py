"""Answers of small trainings become a forecast in the units that the gate measures."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.economics.quality_forecast import Prior
from coffey.probe.disagreement import Measured, disagreement
from coffey.probe.lost_and_won import LAW_SPREAD, JudgedOn, LostAndWon, lost_and_won
from coffey.probe.pilot_forecast import TRAINING_NOISE, foresee
from coffey.stats.intervals import wilson

ROWS = (500, 1000, 2000, 4000)
M = 1000


def answers(seed: int, errors: tuple[float, ...] = (0.4, 0.28, 0.2, 0.15)) -> tuple[np.ndarray, ...]:
    """Labels of students [4, M], of a teacher that is right on nine of ten, and the truth, of 10 labels."""
    draw = np.random.default_rng(seed)
    hard = draw.integers(0, 10, M)
    teacher = np.where(draw.random(M) < 0.9, hard, (hard + 1) % 10)
    difficulty = draw.random(M)
    students = np.stack([np.where(difficulty < error, (teacher + 2) % 10, teacher) for error in errors])
    return students, teacher, hard


def forecast(measured: Measured | LostAndWon | None, holdout_rows: int | None = None):
    assert measured is not None
    return foresee(
        measured, rows=16_000, prior=Prior(), holdout=holdout_rows and JudgedOn(holdout_rows), note="test"
    )


def test_agreement_is_foreseen_beyond_the_points() -> None:
    """Above the best point, below 1; twice the rows are better still; no row's position matters."""
    students, teacher, _ = answers(1)
    made = forecast(disagreement(ROWS, students, teacher))
    best = (students[-1] == teacher).mean()
    assert best < made.value < made.doubled < 1
    assert made.low < made.value < made.high
    assert (made.measure, made.rows, made.points, made.confidence) == ("agreement", 16_000, 4, 0.8)
    order = np.random.default_rng(0).permutation(M)
    assert forecast(disagreement(ROWS, students[:, order], teacher[order])).value == pytest.approx(made.value)


def test_a_small_holdout_widens() -> None:
    """What the gate reads on 200 examples is less certain than what it reads on 20,000."""
    students, teacher, hard = answers(4)
    for measured in (disagreement(ROWS, students, teacher), lost_and_won(ROWS, students, teacher, hard)):
        widths = [
            made.high - made.low for made in (forecast(measured, count) for count in (200, 20_000, None))
        ]
        assert widths[0] > 1.05 * widths[1]
        assert widths[1] >= widths[2]


def test_students_without_an_error_leave_some_doubt() -> None:
    """No disagreement on 1,000 rows is not certainty."""
    _, teacher, _ = answers(5)
    made = forecast(disagreement(ROWS, np.stack([teacher] * 4), teacher))
    assert made.value > 0.995
    assert made.low < made.high


@pytest.mark.parametrize("measure", ["agreement", "retention"])
def test_intervals_hold_what_they_say(measure: str) -> None:
    """Laws, trainings and holdouts drawn anew 150 times: 80 % of the intervals hold the actual value."""
    covered = sum(_covers(seed, measure) for seed in range(150))
    share = wilson(covered, 150)
    assert share.low < 0.8 < share.high


def _covers(seed: int, measure: str) -> bool:
    """One law with its trainings at `ROWS`, and one more at 16,000 rows that a holdout of 1,500 measures.

    Of retention the law is of what is lost, and is as wrong at 16,000 rows as `LAW_SPREAD` allows.
    """
    draw = np.random.default_rng(seed)
    exponent, last, floor = draw.uniform(0.2, 0.9), draw.uniform(0.08, 0.3), draw.uniform(0, 0.8)
    sizes = np.asarray([*ROWS, 16_000])
    law = last * (floor + (1 - floor) * (sizes / ROWS[-1]) ** -exponent)
    missed = law * (1 + TRAINING_NOISE * draw.standard_normal(len(sizes)))
    if measure == "retention":
        return _retention_covers(draw, missed)
    students, teacher, _ = _answers(draw, missed[:-1], 1000)
    made = forecast(disagreement(ROWS, students, teacher), 1500)
    finished, reference, _ = _answers(draw, missed[-1:], 1500)
    return bool(made.low <= (finished[0] == reference).mean() <= made.high)


def _retention_covers(draw: np.random.Generator, lost: np.ndarray) -> bool:
    accuracy, won = draw.uniform(0.6, 0.95), draw.uniform(0.1, 0.5)
    lost[-1] *= np.exp(2 * LAW_SPREAD * draw.standard_normal())
    split = lost_and_won(ROWS, *_lost_and_won(draw, lost[:-1], accuracy, won, 1000))
    made = forecast(split, 1500)
    finished, reference, truth = _lost_and_won(draw, lost[-1:], accuracy, won, 1500)
    return bool(made.low <= (finished[0] == truth).sum() / (reference == truth).sum() <= made.high)


def _lost_and_won(
    draw: np.random.Generator, lost: np.ndarray, accuracy: float, won: float, count: int
) -> tuple[np.ndarray, ...]:
    """Students that lose these shares where a teacher is right, and win one share where it is wrong."""
    hard, ease = draw.integers(0, 4, count), draw.random(count)
    teacher = np.where(draw.random(count) < accuracy, hard, (hard + 1) % 4)
    right = np.where(teacher == hard, ease > lost[:, None], ease < won)
    return np.where(right, hard, (hard + 2) % 4), teacher, hard


def _answers(draw: np.random.Generator, differs: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
    """Students that differ from the teacher on the hardest rows, of which the teacher too is less sure."""
    hard = draw.integers(0, 4, count)
    ease = draw.random(count)
    teacher = np.where(draw.random(count) < 0.4 + 0.55 * ease, hard, (hard + draw.integers(1, 4, count)) % 4)
    other = (teacher + draw.integers(1, 4, count)) % 4
    return np.where(ease < differs[:, None], other, teacher), teacher, hard
