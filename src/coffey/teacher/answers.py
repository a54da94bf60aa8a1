"""Turning what a teacher said into probabilities, or refusing it.

The rule for answers that do not say what they are: an array whose values are all at least 0 and whose rows
all sum to 1 (within 0.001) holds probabilities; any other finite array holds logits and goes through a
softmax.
"""

from __future__ import annotations

import enum

import numpy as np
import numpy.typing as npt

from coffey.core.errors import LabelRejected
from coffey.teacher.protocol import Probabilities

SUM_TOLERANCE = 1e-3
"""How far from 1 a row of probabilities may sum: what float16 rounding of a few hundred labels makes."""


class Meaning(enum.Enum):
    """What the numbers of an answer are."""

    PROBABILITIES = "probabilities"
    """Not negative, each row sums to 1."""
    LOGITS = "logits"
    """Any finite numbers; softmax makes probabilities of them."""


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


def meaning_of(answer: npt.NDArray[np.float64]) -> Meaning:
    """Whether finite [n, labels] reads as probabilities or logits, by the rule of this module.

    >>> meaning_of(np.array([[0.25, 0.75]])), meaning_of(np.array([[2.0, -1.0]]))
    (<Meaning.PROBABILITIES: 'probabilities'>, <Meaning.LOGITS: 'logits'>)
    """
    sums_to_one = np.abs(answer.sum(axis=1) - 1) <= SUM_TOLERANCE
    return Meaning.PROBABILITIES if bool(((answer >= 0).all(axis=1) & sums_to_one).all()) else Meaning.LOGITS


def normalized(answer: npt.NDArray[np.float64], meaning: Meaning) -> Probabilities:
    """Finite [n, labels] as float32 probabilities that sum to 1."""
    if meaning is Meaning.LOGITS:
        answer = np.exp(answer - answer.max(axis=1, keepdims=True))
    probabilities: Probabilities = (answer / answer.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def checked(source: str, answer: object, *, rows: int, labels: int) -> Probabilities:
    """`answer` as it is, as float32 [rows, labels], when it keeps the duties of `Teacher.predict`.

    Raises:
        LabelRejected: it does not: shape, NaN, a negative value, or a row that does not sum to 1.
    """
    array = as_answer(source, answer, rows=rows, labels=labels)
    if meaning_of(array) is not Meaning.PROBABILITIES:
        bad = np.abs(array.sum(axis=1) - 1) + np.maximum(-array.min(axis=1), 0)
        row = int(bad.argmax())
        raise LabelRejected(
            source, "rows of probabilities that sum to 1", f"{array[row].tolist()[:8]} in row {row}"
        )
    return array.astype(np.float32)
