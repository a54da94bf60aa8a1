"""The conformance checks pass a good teacher and catch each broken duty."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.testing.teacher import FixedTeacher, check_teacher

TEXTS = ["a", "bb", "ccc", "dddd"]


def broken(answer):
    teacher = FixedTeacher()
    right = teacher.predict
    teacher.predict = lambda texts: answer(right(texts), texts)
    return teacher


def test_the_fake_keeps_all_duties():
    """It is what the other rooms are tested with."""
    check_teacher(FixedTeacher(), TEXTS)


@pytest.mark.parametrize(
    ("answer", "duty"),
    [
        (lambda rows, texts: rows.astype(np.float64), "float32"),
        (lambda rows, texts: rows[:, :2], "float32"),
        (lambda rows, texts: -rows, "negative"),
        (lambda rows, texts: rows * np.float32(1.1), "sums to 1"),
        (lambda rows, texts: np.roll(rows, len(texts) > 1, axis=0), "order|batch"),
        (lambda rows, texts: rows if len(texts) > 1 else rows[:, ::-1], "batch"),
        (lambda rows, texts: rows[np.argsort(texts)] if len(texts) == 4 else rows, "order|batch"),
    ],
)
def test_each_broken_duty_is_caught(answer, duty):
    """A check that cannot fail would prove nothing."""
    order = TEXTS[::-1] if "argsort" in str(answer.__code__.co_names) else TEXTS
    with pytest.raises(AssertionError, match=duty):
        check_teacher(broken(answer), order)


def test_a_fingerprint_that_is_not_of_the_header_is_caught():
    """Otherwise two teachers might share a folder."""
    teacher = FixedTeacher()
    teacher.fingerprint = "0" * 32
    with pytest.raises(AssertionError, match="fingerprint"):
        check_teacher(teacher, TEXTS)
