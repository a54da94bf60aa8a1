"""Answers of small trainings become a forecast in the units that the gate measures."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.economics.quality_forecast import Prior
from coffey.probe.pilot_forecast import Measured, disagreement, foresee, lost_retention
from coffey.stats.intervals import paired_ratio

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


def forecast(measured: Measured | None, rows: int = 16_000, holdout_rows: int | None = None):
    assert measured is not None
    return foresee(measured, rows=rows, prior=Prior(), holdout_rows=holdout_rows, note="test")


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


def test_retention_is_the_ratio_of_the_accuracies() -> None:
    """Errors, and their variance, are those of student's over teacher's accuracy on labelled rows alone."""
    students, teacher, hard = answers(2)
    hard[:200] = -1
    lost = lost_retention(ROWS, students, teacher, hard)
    assert lost is not None
    assert lost.examples == 800
    for row, student in enumerate(students):
        ratio = paired_ratio(student[200:] == hard[200:], teacher[200:] == hard[200:], seed=0)
        assert lost.most - lost.errors[row] == pytest.approx(ratio.value)
        half = 1.96 * np.sqrt(lost.covariance[row, row])
        assert half == pytest.approx((ratio.high - ratio.low) / 2, rel=0.1)
    made = forecast(lost)
    assert made.measure == "retention"
    assert made.high <= lost.most


def test_without_hard_labels_there_is_no_retention() -> None:
    """No label, or a teacher that is never right: nothing to divide by."""
    students, teacher, hard = answers(3)
    assert lost_retention(ROWS, students, teacher, np.full(M, -1)) is None
    assert lost_retention(ROWS, students, teacher, (teacher + 1) % 10) is None
    assert lost_retention(ROWS, students, teacher, hard) is not None


def test_a_small_holdout_widens() -> None:
    """What the gate reads on 200 examples is less certain than what it reads on 20,000."""
    students, teacher, hard = answers(4)
    for measured in (disagreement(ROWS, students, teacher), lost_retention(ROWS, students, teacher, hard)):
        widths = [
            made.high - made.low
            for made in (forecast(measured, holdout_rows=count) for count in (200, 20_000, None))
        ]
        assert widths[0] > 1.05 * widths[1]
        assert widths[1] >= widths[2]


def test_students_without_an_error_leave_some_doubt() -> None:
    """No disagreement on 1,000 rows is not certainty."""
    _, teacher, _ = answers(5)
    made = forecast(disagreement(ROWS, np.stack([teacher] * 4), teacher))
    assert made.value > 0.995
    assert made.low < made.high
