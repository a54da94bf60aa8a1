"""One score carries both tasks: equality for one label, the F1 of sets for many."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coffey.stats.scoring import (
    ONE_LABEL,
    THRESHOLD,
    ManyLabels,
    fit_threshold,
    scoring_of,
    threshold_of,
)

MANY = ManyLabels()
NAMES = ("joy", "love", "anger, rage")
SETS = hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 1))


@given(SETS)
def test_the_score_of_sets_is_symmetric_bounded_and_1_for_equal_ones(sets):
    """Whatever the sets are, the empty one included."""
    other = sets[::-1]
    score = MANY.score(sets, other)
    np.testing.assert_array_equal(score, MANY.score(other, sets))
    assert ((score >= 0) & (score <= 1)).all()
    np.testing.assert_array_equal(MANY.score(sets, sets), 1.0)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.randoms())
def test_sets_of_one_label_score_as_one_label_does(labels, random):
    """The example-based F1 is equality where every set has one label."""
    one = np.array(labels)
    other = np.array(random.sample(labels, len(labels)))
    single = ONE_LABEL.score(one, other)
    np.testing.assert_array_equal(MANY.score(np.eye(5, dtype=int)[one], np.eye(5, dtype=int)[other]), single)


@given(SETS.filter(lambda sets: sets.shape[1] <= len(NAMES)))
def test_names_say_what_the_sets_say(sets):
    """The score of two answers as the log keeps them is the score of the sets, whatever a label holds."""
    names = MANY.names(sets, NAMES)
    other = sets[::-1]
    by_name = [MANY.score_names(*pair) for pair in zip(names, MANY.names(other, NAMES), strict=True)]
    np.testing.assert_allclose(by_name, MANY.score(sets, other))
    assert [len(json.loads(name)) for name in names] == sets.sum(axis=1).tolist()


def test_probabilities_do_not_overflow():
    """Logits of any size, and columns in their order."""
    logits = np.array([[1000.0, 0.0], [-1000.0, -1000.0]], dtype=np.float32)
    np.testing.assert_allclose(ONE_LABEL.probabilities(logits), [[1, 0], [0.5, 0.5]])
    np.testing.assert_allclose(MANY.probabilities(logits), [[1, 0.5], [0, 0]])
    assert {scoring.probabilities(logits).dtype for scoring in (ONE_LABEL, MANY)} == {np.dtype(np.float32)}


def test_an_answer_is_the_best_label_or_all_over_the_threshold():
    """Confidence is the probability of that answer."""
    probabilities = np.array([[0.6, 0.3, 0.1]])
    assert ONE_LABEL.names(ONE_LABEL.answers(probabilities), NAMES) == ["joy"]
    assert ONE_LABEL.confidence(probabilities).tolist() == [0.6]
    many = ManyLabels(0.3)
    assert many.names(many.answers(probabilities), NAMES) == ['["joy","love"]']
    assert many.confidence(probabilities).tolist() == pytest.approx([0.6 * 0.3 * 0.9])
    assert MANY.names(MANY.answers(probabilities * 0.5), NAMES) == ["[]"]


def test_what_is_not_known_is_not_scored():
    """-1 stands for an unknown label, a row of it for an unknown set; an empty set is known."""
    assert ONE_LABEL.known(np.array([0, -1])).tolist() == [True, False]
    assert MANY.known(np.array([[0, 0], [-1, -1]])).tolist() == [True, False]


def test_certain_answers_are_probabilities_that_answer_the_same():
    """One-hot rows, and the sets themselves."""
    for scoring, answers in ((ONE_LABEL, np.array([2, 0])), (MANY, np.array([[1, 0, 1], [0, 0, 0]]))):
        np.testing.assert_array_equal(scoring.answers(scoring.certain(answers, 3)), answers)


def test_a_fitted_threshold_is_the_best_on_the_grid():
    """Labels of low probability are given where that scores better than the empty set."""
    rng = np.random.default_rng(3)
    truth = (rng.random((400, 5)) < 0.2).astype(np.int64)
    probabilities = np.clip(0.15 + 0.2 * truth + 0.05 * rng.standard_normal((400, 5)), 0, 1)
    found = fit_threshold(probabilities, truth)
    scores = {
        threshold: ManyLabels(threshold).score(ManyLabels(threshold).answers(probabilities), truth).mean()
        for threshold in np.arange(1, 100) / 100
    }
    assert found < 0.4
    assert scores[found] == pytest.approx(max(scores.values()))


def test_without_a_known_set_the_threshold_is_one_half():
    """Rows of -1 teach nothing."""
    assert fit_threshold(np.full((2, 3), 0.2), np.full((2, 3), -1)) == THRESHOLD


def test_a_task_has_its_scoring():
    """By its kind and threshold; another kind is refused."""
    assert scoring_of("text-classification", 0.3) is ONE_LABEL
    assert threshold_of(ONE_LABEL) is None
    assert threshold_of(scoring_of("multi-label-classification", 0.3)) == 0.3
    with pytest.raises(ValueError, match="'ranking'"):
        scoring_of("ranking")
