"""Confidence is measured against labels, and over-confidence, and only that, is corrected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.teacher.calibration import (
    LEAST_ROWS,
    at_temperature,
    expected_error,
    fit_temperature,
    measure_calibration,
)


def _drawn(rows: int, labels: int, *, confidence: float, seed: int = 5):
    """Answers whose logits are `confidence` times those that the labels were drawn from."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, labels)) * 1.5
    true = _softmax(logits)
    labels_drawn = (true.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(max=labels - 1)
    return _softmax(logits * confidence), labels_drawn


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("confidence", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_was_done_to_the_logits(confidence):
    """Logits times c need temperature c, within sampling noise."""
    answers, truth = _drawn(20_000, 4, confidence=confidence)
    assert fit_temperature(answers, truth) == pytest.approx(confidence, rel=0.05)


def test_over_confidence_is_corrected():
    """The correction takes nearly all of the error away, in likelihood too."""
    answers, truth = _drawn(5000, 4, confidence=3.0)
    found = measure_calibration(answers, truth)
    assert found is not None
    assert found.corrected
    assert found.applied == found.temperature
    assert found.error > 0.1 > 0.03 > found.error_fitted
    assert found.nll > found.nll_fitted


@pytest.mark.parametrize("confidence", [1.0, 0.4])
def test_calibrated_and_under_confident_teachers_are_left_alone(confidence):
    """The second looks like a teacher that was trained on these rows: it is reported, not sharpened."""
    answers, truth = _drawn(5000, 4, confidence=confidence)
    found = measure_calibration(answers, truth)
    assert found is not None
    assert not found.corrected
    assert found.applied == 1.0
    assert (found.error > 0.03) == (confidence < 1)


def test_a_teacher_that_is_wrong_about_everything_is_not_made_uniform():
    """No temperature mends it; nearly uniform answers would teach a student nothing."""
    answers, truth = _drawn(1000, 4, confidence=3.0)
    found = measure_calibration(answers, (truth + 1) % 4)
    assert found is not None
    assert found.temperature == pytest.approx(20)
    assert not found.corrected


def test_too_few_labelled_rows_measure_nothing():
    """Rows without a label do not count."""
    answers, truth = _drawn(300, 4, confidence=3.0)
    truth[LEAST_ROWS - 1 :] = -1
    assert measure_calibration(answers, truth) is None
    assert measure_calibration(answers[:LEAST_ROWS], np.abs(truth[:LEAST_ROWS])) is not None


def test_the_expected_error_is_that_of_the_bins():
    """All answers say 0.8; half of them are right."""
    answers = np.tile(np.array([[0.8, 0.2]], np.float32), (3000, 1))
    truth = np.arange(3000) % 2
    assert expected_error(answers, truth) == pytest.approx(0.3, abs=1e-3)


@given(
    st.lists(st.floats(0, 1, width=32), min_size=2, max_size=6).filter(lambda row: sum(row) > 0.1),
    st.floats(0.05, 20),
)
def test_a_temperature_never_changes_the_most_probable_label(row, temperature):
    """And its answers are distributions."""
    given_answer = np.array([row], np.float32) / np.float32(sum(row))
    said = at_temperature(given_answer, temperature)
    assert said.dtype == np.float32
    assert said.sum() == pytest.approx(1, abs=1e-5)
    assert said[0, given_answer[0].argmax()] == said.max()
