"""Hard labels that the teacher contradicts: their rows are learned from the teacher alone.

Confident learning (Northcutt, Jiang and Chuang 2021, section 3.1), with the teacher as the model that the
labels are judged by. It has no setting: how sure the teacher must be of a label is how sure it is on average
of the rows that carry that label. It knows one label a text: the sets of a multi-label task are all trusted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.distill.loss import NO_LABEL
from coffey.stats.scoring import ONE_LABEL, Answers, Scoring

SHOWN = 5

UNLIKELY = 0.05
"""Probability of a label below which it may be doubtful: without it, a weak teacher's errors are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulRow:
    """A row whose label the teacher contradicts."""

    text: str
    label: str
    """As the data has it."""
    teacher: str
    """The label that the teacher gives."""
    probability: float
    """What the teacher gives the data's label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulLabels:
    """How many hard labels the teacher contradicts, and a few of them."""

    rows: int
    labelled: int
    examples: tuple[DoubtfulRow, ...]
    """Those whose label it finds least likely."""


def find_doubtful(teacher: np.ndarray, hard: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Bool [n]: the rows that the teacher confidently gives another label than they have.

    A label is confident for a row where its probability reaches the mean probability of that label over the
    rows that carry it; a row is doubtful when the most probable of its confident labels is not its
    own, and its own is below `UNLIKELY`.

    Args:
        teacher: [n, labels], the teacher's probabilities.
        hard: integers [n], `NO_LABEL` where there is none; such rows are never doubtful.
    """
    known = hard != NO_LABEL
    thresholds = np.full(teacher.shape[1], np.inf)
    for label in np.unique(hard[known]):
        thresholds[label] = teacher[hard == label, label].mean(dtype=np.float64)
    confident = np.where(teacher >= thresholds, teacher, -1.0)
    own = np.where(known, teacher[np.arange(len(hard)), hard], 1.0)
    doubtful: npt.NDArray[np.bool_] = (
        known & (confident.max(axis=1) >= 0) & (confident.argmax(axis=1) != hard) & (own < UNLIKELY)
    )
    return doubtful


def trusted_labels(teacher: np.ndarray, hard: Answers, scoring: Scoring = ONE_LABEL) -> Answers:
    """The hard labels, `NO_LABEL` where they are doubtful."""
    if scoring.independent:
        return hard
    return np.where(find_doubtful(teacher, hard), NO_LABEL, hard)


def describe_doubtful(
    teacher: np.ndarray,
    hard: Answers,
    *,
    texts: tuple[str, ...],
    labels: tuple[str, ...],
    scoring: Scoring = ONE_LABEL,
) -> DoubtfulLabels:
    """The counts, and the `SHOWN` rows whose label the teacher finds least likely."""
    labelled = int(scoring.known(hard).sum())
    if scoring.independent:
        return DoubtfulLabels(rows=0, labelled=labelled, examples=())
    rows = np.flatnonzero(find_doubtful(teacher, hard))
    least = rows[np.argsort(teacher[rows, hard[rows]], kind="stable")][:SHOWN]
    return DoubtfulLabels(
        rows=len(rows),
        labelled=labelled,
        examples=tuple(
            DoubtfulRow(
                text=texts[row],
                label=labels[hard[row]],
                teacher=labels[int(teacher[row].argmax())],
                probability=float(teacher[row, hard[row]]),
            )
            for row in least
        ),
    )
