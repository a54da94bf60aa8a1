"""Quality is what was counted, with intervals, and never about misaligned arrays."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.core.errors import DataError, EmptyData
from coffey.export.quality import measure_quality
from coffey.stats.intervals import paired_ratio, wilson

LABELS = ("a", "b")


def sure(indices) -> np.ndarray:
    return np.eye(2)[np.asarray(indices)]


def measure(student, teacher, hard=None):
    texts = [str(i) for i in range(len(teacher))]
    answers = dict(zip(texts, sure(student), strict=True))
    return measure_quality(
        lambda asked: np.stack([answers[text] for text in asked]), texts, sure(teacher), hard, LABELS
    )


def test_counts_by_hand():
    """Eight texts, six labelled: agreement 6/8, student 4/6, teacher 5/6, retention 4/5."""
    student = [0, 0, 0, 0, 1, 1, 1, 1]
    teacher = [0, 0, 0, 1, 1, 1, 1, 0]
    truth = [0, 0, 1, 1, 1, 1, -1, -1]
    found = measure(student, teacher, truth)
    assert (found.examples, found.labelled) == (8, 6)
    assert found.agreement == wilson(6, 8)
    assert (found.commonest, found.teacher_commonest) == (0.5, 0.5)
    assert found.accuracy == wilson(4, 6)
    assert found.teacher_accuracy == wilson(5, 6)
    assert found.retention.value == pytest.approx(4 / 5)
    assert found.retention == paired_ratio(
        np.array([1, 1, 0, 0, 1, 1], bool), np.array([1, 1, 0, 1, 1, 1], bool), seed=17
    )


@pytest.mark.parametrize("hard", [None, [-1, -1]])
def test_without_labels_only_agreement_is_measured(hard):
    """No accuracy is made up."""
    found = measure([0, 1], [0, 1], hard)
    assert found.agreement.value == 1
    assert (found.labelled, found.accuracy, found.teacher_accuracy, found.retention) == (0, None, None, None)


def test_arrays_that_do_not_fit_are_refused():
    """Another count of texts, labels or hard labels; an unknown label; a NaN."""
    student = lambda texts: sure([0] * len(texts))  # noqa: E731
    for teacher, hard in [
        (sure([0, 1, 0]), None),
        (np.ones((2, 3)), None),
        (np.full((2, 2), np.nan), None),
        (sure([0, 1]), [0]),
        (sure([0, 1]), [0, 2]),
    ]:
        with pytest.raises(DataError):
            measure_quality(student, ["x", "y"], teacher, hard, LABELS)
    with pytest.raises(DataError, match="student"):
        measure_quality(lambda _: sure([0]), ["x", "y"], sure([0, 1]), None, LABELS)


def test_no_text_is_no_quality():
    """An empty holdout is named."""
    with pytest.raises(EmptyData, match="holdout"):
        measure_quality(lambda _: np.zeros((0, 2)), [], np.zeros((0, 2)), None, LABELS)
