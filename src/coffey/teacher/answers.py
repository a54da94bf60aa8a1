"""Turning what a teacher said into probabilities, or refusing it.

The rule for answers that do not say what they are: an array whose values are all at least 0 and whose rows
all sum to 1 (within 0.001) holds probabilities; any other finite array holds logits and goes through a
softmax.

Of independent labels (a multi-label task) rows sum to anything: an array whose values are all within [0, 1]
holds probabilities, any other finite array logits, and each goes through a sigmoid.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from coffey.core.errors import LabelRejected
from coffey.stats.scoring import ManyLabels, Scoring, scoring_of
from coffey.teacher.protocol import Probabilities

SUM_TOLERANCE = 1e-3
"""How far from 1 a row of probabilities may sum: what float16 rounding of a few hundred labels makes."""


INDEPENDENT = "sigmoid"
"""What `probabilities` says in the header of a teacher whose labels are independent."""


def are_independent(header: Mapping[str, object]) -> bool:
    """Whether the teacher with this header gives every label a probability of its own."""
    return header.get("probabilities") == INDEPENDENT


def scoring_of_teacher(header: Mapping[str, object]) -> Scoring:
    """How the answers of the teacher with this header are read, before a threshold is fitted."""
    return ManyLabels() if are_independent(header) else scoring_of("text-classification")


class Meaning(enum.Enum):
    """What the numbers of an answer are."""

    PROBABILITIES = "probabilities"
    """Not negative, each row sums to 1; of independent labels, each in [0, 1]."""
    LOGITS = "logits"
    """Any finite numbers; softmax, or a sigmoid each, makes probabilities of them."""


def as_answer(source: str, answer: object, *, rows: int, labels: int) -> npt.NDArray[np.float64]:
    """`answer` (lists, numpy, torch) as finite float64 [rows, labels].

    Raises:
        LabelRejected: not numbers, another shape, NaN or infinite.
    """
    expected = f"finite numbers of shape [{rows}, {labels}]"
    detach = getattr(answer, "detach", None)
    plain = detach().cpu().numpy() if detach is not None else answer
    try:
        array = np.asarray(plain, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise LabelRejected(source, expected, f"{type(answer).__name__} ({exc})") from exc
    if array.shape != (rows, labels):
        raise LabelRejected(source, expected, f"shape {list(array.shape)}")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise LabelRejected(source, expected, f"{array[row].tolist()[:8]} in row {row}")
    return array


def meaning_of(answer: npt.NDArray[np.float64], *, independent: bool = False) -> Meaning:
    """Whether finite [n, labels] reads as probabilities or logits, by the rule of this module.

    >>> meaning_of(np.array([[0.25, 0.75]])), meaning_of(np.array([[2.0, -1.0]]))
    (<Meaning.PROBABILITIES: 'probabilities'>, <Meaning.LOGITS: 'logits'>)
    """
    if independent:
        return Meaning.PROBABILITIES if bool(((answer >= 0) & (answer <= 1)).all()) else Meaning.LOGITS
    sums_to_one = np.abs(answer.sum(axis=1) - 1) <= SUM_TOLERANCE
    return Meaning.PROBABILITIES if bool(((answer >= 0).all(axis=1) & sums_to_one).all()) else Meaning.LOGITS


def normalized(
    answer: npt.NDArray[np.float64], meaning: Meaning, *, independent: bool = False
) -> Probabilities:
    """Finite [n, labels] as float32 probabilities that sum to 1, or each within [0, 1]."""
    if independent:
        logits = meaning is Meaning.LOGITS
        return (0.5 * (1 + np.tanh(answer / 2)) if logits else answer).astype(np.float32)
    if meaning is Meaning.LOGITS:
        answer = np.exp(answer - answer.max(axis=1, keepdims=True))
    probabilities: Probabilities = (answer / answer.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def checked(
    source: str, answer: object, *, rows: int, labels: int, independent: bool = False
) -> Probabilities:
    """`answer` as it is, as float32 [rows, labels], when it keeps the duties of `Teacher.predict`.

    Raises:
        LabelRejected: it does not: shape, NaN, a negative value, or a row that does not sum to 1 (of
            independent labels, a value over 1).
    """
    array = as_answer(source, answer, rows=rows, labels=labels)
    if independent:
        outside = ((array < 0) | (array > 1)).any(axis=1)
        if outside.any():
            found = f"{array[int(outside.argmax())].tolist()[:8]} in row {int(outside.argmax())}"
            raise LabelRejected(source, "probabilities from 0 to 1", found)
        return array.astype(np.float32)
    if meaning_of(array) is not Meaning.PROBABILITIES:
        bad = np.abs(array.sum(axis=1) - 1) + np.maximum(-array.min(axis=1), 0)
        row = int(bad.argmax())
        raise LabelRejected(
            source, "rows of probabilities that sum to 1", f"{array[row].tolist()[:8]} in row {row}"
        )
    return array.astype(np.float32)
