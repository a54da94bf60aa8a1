"""A hard label that the teacher confidently contradicts is not learned from."""

from __future__ import annotations

import numpy as np

from coffey.distill.hard_labels import describe_doubtful, find_doubtful, trusted_labels
from coffey.distill.loss import NO_LABEL
from coffey.stats.scoring import ManyLabels

LABELS = ("yes", "no", "never seen")
SURE_YES, SURE_NO, TORN = [0.9, 0.02, 0.08], [0.02, 0.9, 0.08], [0.4, 0.35, 0.25]


def _rows():
    """Twenty rows whose label the teacher shares, a wrong one, a torn one and one without a label."""
    teacher = np.array([SURE_YES] * 10 + [SURE_NO] * 10 + [SURE_NO, TORN, SURE_YES], np.float32)
    hard = np.array([0] * 10 + [1] * 10 + [0, 1, NO_LABEL])
    return teacher, hard


def test_only_a_confident_contradiction_is_doubtful():
    """Not a row on which the teacher is torn, and not one without a label."""
    assert np.flatnonzero(find_doubtful(*_rows())).tolist() == [20]


def test_doubtful_labels_are_taken_away_and_the_others_stay():
    """Their rows keep their place: the teacher's answer is learned from."""
    teacher, hard = _rows()
    trusted = trusted_labels(teacher, hard)
    assert trusted[20] == NO_LABEL
    assert (np.delete(trusted, 20) == np.delete(hard, 20)).all()


def test_data_without_labels_has_no_doubtful_ones():
    """Nothing to judge by."""
    teacher, hard = _rows()
    assert not find_doubtful(teacher, np.full_like(hard, NO_LABEL)).any()


def test_sets_of_labels_are_all_trusted():
    """Confident learning knows one label a text."""
    teacher = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)
    sets = np.array([[0, 1], [NO_LABEL, NO_LABEL]])
    assert (trusted_labels(teacher, sets, ManyLabels()) == sets).all()
    found = describe_doubtful(teacher, sets, texts=("a", "b"), labels=("yes", "no"), scoring=ManyLabels())
    assert (found.rows, found.labelled, found.examples) == (0, 1, ())


def test_injected_noise_is_found():
    """A tenth of the labels replaced: most of what is found was replaced, and most that was is found."""
    rng = np.random.default_rng(3)
    true = rng.integers(0, 3, 3000)
    logits = rng.normal(size=(3000, 3))
    logits[np.arange(3000), true] += 4
    teacher = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = rng.random(3000) < 0.1
    hard = np.where(wrong, (true + rng.integers(1, 3, 3000)) % 3, true)
    found = find_doubtful(teacher, hard)
    assert wrong[found].mean() > 0.9
    assert found[wrong].mean() > 0.5


def test_the_report_shows_the_least_likely_first():
    """With both labels, so that a person can judge."""
    teacher, hard = _rows()
    texts = tuple(f"text {row}" for row in range(len(hard)))
    found = describe_doubtful(teacher, hard, texts=texts, labels=LABELS)
    assert (found.rows, found.labelled) == (1, 22)
    (row,) = found.examples
    assert (row.text, row.label, row.teacher) == ("text 20", "yes", "no")
    assert row.probability == np.float32(0.02)
