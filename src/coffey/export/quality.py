"""Quality of a student beside its teacher, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from coffey.core.errors import DataError, EmptyData
from coffey.core.records import Quality
from coffey.stats.intervals import mean_score, paired_ratio
from coffey.stats.scoring import ONE_LABEL, Answers, Scoring

SEED = 17


def measure_quality(
    predict: Callable[[Sequence[str]], npt.NDArray[np.floating]],
    texts: Sequence[str],
    teacher_probabilities: npt.NDArray[np.floating],
    hard_labels: Sequence[int] | npt.NDArray[np.integer] | None,
    labels: Sequence[str],
    *,
    scoring: Scoring = ONE_LABEL,
    seed: int = SEED,
) -> Quality:
    """Ask the student about `texts` and compare its labels with the teacher's, and with the true ones.

    Args:
        predict: n texts to probabilities [n, labels]; give the served artifact's own `predict`.
        texts: the n holdout texts.
        teacher_probabilities: the teacher's answers [n, labels], in the same order.
        hard_labels: index of each text's true label, -1 where it is unknown; None when all are. Of a
            multi-label task sets [n, labels], see `scoring.Answers`.
        labels: names of the labels.
        scoring: of the task.
        seed: of the paired bootstrap of the retention.

    Raises:
        EmptyData: no text.
        DataError: the arrays do not fit the texts and labels, or hold something that is no number.
    """
    if not texts:
        raise EmptyData("holdout", "quality cannot be measured without a text")
    expected = (len(texts), len(labels))
    teacher = scoring.answers(_checked("teacher", teacher_probabilities, expected))
    student = scoring.answers(_checked("student", predict(texts), expected))
    agreement = mean_score(scoring.score(student, teacher))
    truth = np.full_like(teacher, -1) if hard_labels is None else np.asarray(hard_labels)
    if truth.shape != teacher.shape or truth.max() >= len(labels):
        raise DataError(
            f"Hard labels of shape {truth.shape}: expected {len(texts)} indices below {len(labels)}."
        )
    known = scoring.known(truth)
    found = Quality(
        examples=len(texts),
        agreement=agreement,
        measure=scoring.measure,
        commonest=_commonest(student),
        teacher_commonest=_commonest(teacher),
    )
    if not known.any():
        return found
    right = scoring.score(student[known], truth[known])
    teacher_right = scoring.score(teacher[known], truth[known])
    return replace(
        found,
        labelled=int(known.sum()),
        accuracy=mean_score(right),
        teacher_accuracy=mean_score(teacher_right),
        retention=paired_ratio(right, teacher_right, seed=seed),
    )


def _commonest(answers: Answers) -> float:
    """Share of the answers that are equal to the most frequent one."""
    _, counts = np.unique(answers, axis=0, return_counts=True)
    return float(counts.max() / len(answers))


def _checked(
    who: str, probabilities: npt.NDArray[np.floating], expected: tuple[int, int]
) -> npt.NDArray[np.floating]:
    if probabilities.shape != expected:
        raise DataError(f"Probabilities of the {who} have shape {probabilities.shape}; expected {expected}.")
    if not np.isfinite(probabilities).all():
        raise DataError(f"Probabilities of the {who} hold something that is not a number.")
    return probabilities
