"""What a teacher says is probabilities, logits, or refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coffey.core.errors import LabelRejected
from coffey.teacher.answers import Meaning, as_answer, checked, meaning_of, normalized


@pytest.mark.parametrize("make", [list, np.array, torch.tensor])
def test_lists_numpy_and_torch_are_understood(make):
    """The same numbers are the same answer in any of the three forms."""
    found = as_answer("t", make([[0.25, 0.75]]), rows=1, labels=2)
    np.testing.assert_array_equal(found, [[0.25, 0.75]])


def test_a_torch_answer_that_still_has_a_gradient_is_understood():
    """A function that forgot `no_grad` works."""
    answer = torch.ones((1, 2), requires_grad=True) * 0.5
    assert as_answer("t", answer, rows=1, labels=2).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([[0.5, 0.5]], "shape"),
        ([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], "shape"),
        ([0.2, 0.3, 0.5], "shape"),
        ([[float("nan"), 0.3, 0.5]], "nan"),
        ([[float("inf"), 0.3, 0.5]], "inf"),
        ([["a", "b", "c"]], "list"),
        ([[0.1], [0.2, 0.3]], "list"),
        (None, "shape|NoneType|None"),
    ],
)
def test_what_is_no_label_is_refused(answer, found):
    """Wrong width, wrong rows, NaN, infinity and other things never reach the store."""
    with pytest.raises(LabelRejected, match=found):
        as_answer("t", answer, rows=1, labels=3)


def test_rows_that_sum_to_one_are_probabilities_and_others_logits():
    """The documented rule, at its borders."""
    assert meaning_of(np.array([[0.5, 0.5], [1.0, 0.0]])) is Meaning.PROBABILITIES
    assert meaning_of(np.array([[0.5, 0.5], [1.5, -0.5]])) is Meaning.LOGITS
    assert meaning_of(np.array([[0.5, 0.49]])) is Meaning.LOGITS


def test_logits_go_through_a_softmax_without_overflow():
    """Large logits give finite probabilities."""
    found = normalized(np.array([[1000.0, 999.0]]), Meaning.LOGITS)
    np.testing.assert_allclose(found, [[1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]], rtol=1e-6)


def test_checked_keeps_probabilities_and_names_the_row_that_is_none():
    """A teacher that breaks its duty is told which row did."""
    assert checked("t", [[0.5, 0.5]], rows=1, labels=2).dtype == np.float32
    with pytest.raises(LabelRejected, match="row 1"):
        checked("t", [[0.5, 0.5], [0.5, 0.8]], rows=2, labels=2)
    with pytest.raises(LabelRejected, match="row 0"):
        checked("t", [[1.5, -0.5], [0.5, 0.5]], rows=2, labels=2)
