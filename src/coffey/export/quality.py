"""Quality of a student beside its teacher, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from coffey.core.errors import DataError, EmptyData
from coffey.core.records import Interval, Quality
from coffey.stats.intervals import paired_ratio, wilson

SEED = 17


def measure_quality(
    predict: Callable[[Sequence[str]], npt.NDArray[np.floating]],
    texts: Sequence[str],
    teacher_probabilities: npt.NDArray[np.floating],
    hard_labels: Sequence[int] | npt.NDArray[np.integer] | None,
    labels: Sequence[str],
    *,
    seed: int = SEED,
) -> Quality:
    """Ask the student about `texts` and compare its labels with the teacher's, and with the true ones.

    Args:
        predict: n texts to probabilities [n, labels]; give the served artifact's own `predict`.
        texts: the n holdout texts.
        teacher_probabilities: the teacher's answers [n, labels], in the same order.
        hard_labels: index of each text's true label, -1 where it is unknown; None when all are.
        labels: names of the labels.
        seed: of the paired bootstrap of the retention.

    Raises:
        EmptyData: no text.
        DataError: the arrays do not fit the texts and labels, or hold something that is no number.
    """
    if not texts:
        raise EmptyData("holdout", "quality cannot be measured without a text")
    expected = (len(texts), len(labels))
    teacher = _checked("teacher", teacher_probabilities, expected).argmax(axis=1)
    student = _checked("student", predict(texts), expected).argmax(axis=1)
    agreement = _share(student == teacher)
    truth = np.full(len(texts), -1) if hard_labels is None else np.asarray(hard_labels)
    if truth.shape != (len(texts),) or truth.max() >= len(labels):
        raise DataError(
            f"Hard labels of shape {truth.shape}: expected {len(texts)} indices below {len(labels)}."
        )
    known = truth >= 0
    if not known.any():
        return Quality(examples=len(texts), agreement=agreement)
    right, teacher_right = student[known] == truth[known], teacher[known] == truth[known]
    return Quality(
        examples=len(texts),
        agreement=agreement,
        labelled=int(known.sum()),
        accuracy=_share(right),
        teacher_accuracy=_share(teacher_right),
        retention=paired_ratio(right, teacher_right, seed=seed),
    )


def _share(right: npt.NDArray[np.bool_]) -> Interval:
    return wilson(int(right.sum()), len(right))


def _checked(
    who: str, probabilities: npt.NDArray[np.floating], expected: tuple[int, int]
) -> npt.NDArray[np.floating]:
    if probabilities.shape != expected:
        raise DataError(f"Probabilities of the {who} have shape {probabilities.shape}; expected {expected}.")
    if not np.isfinite(probabilities).all():
        raise DataError(f"Probabilities of the {who} hold something that is not a number.")
    return probabilities
