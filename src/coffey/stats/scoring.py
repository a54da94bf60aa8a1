"""What the probabilities of a task answer, and how right an answer is: a score in [0, 1] for each input.

Agreement, accuracy, retention, parity, paired tests and audits all rest on this score. With one label an
input it is 1 where two answers are equal, else 0. With many it is the example-based F1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.floating]
"""[n, labels]"""

Answers = npt.NDArray[Any]
"""Integers [n], positions of the labels; of a multi-label task integers [n, labels], 1 for each label given.
-1 (a whole row of it) where a true answer is not known."""

Scores = npt.NDArray[np.bool_] | npt.NDArray[np.float64]
"""[n], in [0, 1]."""

TaskKind = Literal["text-classification", "multi-label-classification"]

THRESHOLD = 0.5
"""Where nothing is known of the labels' costs, a label is given that is more likely than not."""

_GRID = np.arange(1, 100) / 100
"""Thresholds that are tried."""

_MOST_ROWS = 20_000
"""Labelled examples that a threshold is fitted on, at most: its F1 is then known to about 0.3 points."""


class Scoring(Protocol):
    """How a task's probabilities are made, read and compared."""

    @property
    def kind(self) -> TaskKind:
        """The task."""

    @property
    def independent(self) -> bool:
        """Whether every label has a probability of its own, through a sigmoid; else one softmax."""

    @property
    def measure(self) -> str:
        """What the mean score against true labels is called."""

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probabilities of logits, both float32 [n, labels], without overflow."""

    def answers(self, probabilities: Probabilities) -> Answers:
        """What probabilities [n, labels] answer."""

    def certain(self, answers: Answers, labels: int) -> npt.NDArray[np.float32]:
        """Known answers to n inputs as probabilities of 0 and 1, float32 [n, labels]."""

    def confidence(self, probabilities: Probabilities) -> Probabilities:
        """The probability [n] of each answer, by probabilities [n, labels]."""

    def known(self, truth: Answers) -> npt.NDArray[np.bool_]:
        """Where a true answer is known, bool [n]."""

    def score(self, said: Answers, wanted: Answers) -> Scores:
        """How right each answer is, [n]; symmetric."""

    def names(self, answers: Answers, labels: Sequence[str]) -> list[str]:
        """Each answer as one string, by which logs keep it and equal answers are found."""

    def score_names(self, said: str, wanted: str) -> float:
        """As `score`, of two answers as `names` writes them."""


@dataclass(frozen=True, slots=True)
class OneLabel:
    """Every input has exactly one label: the most probable one."""

    kind: TaskKind = "text-classification"
    independent: bool = False
    measure: str = "accuracy"

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Softmax: rows sum to 1."""
        power = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(power / power.sum(axis=1, keepdims=True))

    def answers(self, probabilities: Probabilities) -> Answers:
        """The position of the most probable label, int64 [n]; the first of equal ones."""
        return np.asarray(probabilities.argmax(axis=1))

    def certain(self, answers: Answers, labels: int) -> npt.NDArray[np.float32]:
        """One-hot rows."""
        return np.eye(labels, dtype=np.float32)[answers]

    def confidence(self, probabilities: Probabilities) -> Probabilities:
        """The probability of the most probable label."""
        return np.asarray(probabilities.max(axis=1))

    def known(self, truth: Answers) -> npt.NDArray[np.bool_]:
        """Where there is a position."""
        return np.asarray(truth >= 0)

    def score(self, said: Answers, wanted: Answers) -> Scores:
        """Whether the labels are the same, bool [n]."""
        return np.asarray(said == wanted)

    def names(self, answers: Answers, labels: Sequence[str]) -> list[str]:
        """The names of the labels."""
        return [labels[index] for index in answers.tolist()]

    def score_names(self, said: str, wanted: str) -> float:
        """1.0 for the same name, else 0.0."""
        return float(said == wanted)


@dataclass(frozen=True, slots=True)
class ManyLabels:
    """Every input has any number of labels, none included: those at least as probable as `threshold`.

    The score is the example-based F1 (Godbole and Sarawagi 2004), `2 |A and B| / (|A| + |B|)`, 1 where both
    sets are empty: of sets with one label each it is equality, and it forgives a set that is nearly right.
    """

    threshold: float = THRESHOLD
    kind: TaskKind = "multi-label-classification"
    independent: bool = True
    measure: str = "F1"

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Sigmoid of each logit: labels are independent, rows sum to anything."""
        small = np.exp(-np.abs(logits))
        return np.asarray(np.where(logits >= 0, 1, small) / (1 + small), dtype=logits.dtype)

    def answers(self, probabilities: Probabilities) -> Answers:
        """1 for each label at or over the threshold, int64 [n, labels]."""
        return (probabilities >= self.threshold).astype(np.int64)

    def certain(self, answers: Answers, labels: int) -> npt.NDArray[np.float32]:
        """The sets as they are; `labels` is their width already."""
        return answers.astype(np.float32)

    def confidence(self, probabilities: Probabilities) -> Probabilities:
        """The probability of the whole set, were its labels independent."""
        given = probabilities >= self.threshold
        return np.asarray(np.where(given, probabilities, 1 - probabilities).prod(axis=1))

    def known(self, truth: Answers) -> npt.NDArray[np.bool_]:
        """Where there is a set."""
        return np.asarray((truth >= 0).all(axis=1))

    def score(self, said: Answers, wanted: Answers) -> Scores:
        """The F1 of each pair of sets, float64 [n]."""
        both = (said * wanted).sum(axis=1)
        sizes = said.sum(axis=1) + wanted.sum(axis=1)
        return np.asarray(np.where(sizes == 0, 1.0, 2 * both / np.maximum(sizes, 1)))

    def names(self, answers: Answers, labels: Sequence[str]) -> list[str]:
        """Each set as a JSON list, in the order of `labels`."""
        return [_as_json([labels[index] for index in np.flatnonzero(row).tolist()]) for row in answers]

    def score_names(self, said: str, wanted: str) -> float:
        """The F1 of two sets."""
        one, two = set(json.loads(said)), set(json.loads(wanted))
        return 2 * len(one & two) / (len(one) + len(two)) if one or two else 1.0


ONE_LABEL = OneLabel()


def scoring_of(kind: str, threshold: float | None = None) -> Scoring:
    """The scoring of a task; `threshold` is that of a multi-label task, 0.5 when it is not known.

    Raises:
        ValueError: there is no such task.
    """
    if kind == ONE_LABEL.kind:
        return ONE_LABEL
    many = ManyLabels(THRESHOLD if threshold is None else threshold)
    if kind == many.kind:
        return many
    raise ValueError(f"task {kind!r}: expected {ONE_LABEL.kind!r} or {many.kind!r}")


def threshold_of(scoring: Scoring) -> float | None:
    """The threshold of a multi-label task; None for one label."""
    return scoring.threshold if isinstance(scoring, ManyLabels) else None


def fit_threshold(probabilities: Probabilities, truth: Answers) -> float:
    """The one threshold, of 0.01 to 0.99, at which probabilities have the best mean F1 against true sets.

    Probabilities of 0.5 are rare where labels are: at the threshold of 0.5, most answers would be empty. One
    threshold for all labels is not fitted to the few examples of a rare one.

    Args:
        probabilities: [n, labels].
        truth: the true sets [n, labels], rows of -1 where they are not known.

    Returns:
        `THRESHOLD` when no set is known; the middle one of the best, from which a student whose
        probabilities are a little off strays least.
    """
    rows = np.flatnonzero(ManyLabels().known(truth))
    if not len(rows):
        return THRESHOLD
    rows = rows[:: -(-len(rows) // _MOST_ROWS)]
    said, wanted = probabilities[rows], truth[rows]
    found = [_mean_f1(threshold, said, wanted) for threshold in _GRID]
    best = _GRID[np.isclose(found, max(found), rtol=0, atol=1e-12)]
    return float(best[len(best) // 2])


def _mean_f1(threshold: float, said: Probabilities, wanted: Answers) -> float:
    many = ManyLabels(threshold)
    return float(many.score(many.answers(said), wanted).mean())


def _as_json(names: list[str]) -> str:
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))
