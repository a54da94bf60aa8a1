"""`label`: the teacher's answers to the transfer set and the holdout, in the label store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coffey.core.errors import EmptyData
from coffey.core.progress import Progress
from coffey.core.settings import Settings
from coffey.project.transfer import DataReport, ProjectData, Split
from coffey.teacher.answers import are_independent
from coffey.teacher.asking import AskReport, ask_as_told
from coffey.teacher.calibration import Calibration, measure_calibration
from coffey.teacher.known import read_known
from coffey.teacher.protocol import Teacher
from coffey.teacher.purse import Purse
from coffey.teacher.store import LabelStore

if TYPE_CHECKING:
    from coffey.teacher.features import FeatureKeeper

RECHECKED = 16
"""Stored answers that are asked again on load: a teacher that changed in most of its answers is noticed."""


@dataclass(frozen=True, slots=True)
class LabelResult:
    """What `label` did. `labels` and `digest` speak of the transfer set."""

    labels: int
    holdout: int
    asked: int
    """Inputs that the teacher was asked now, both sets together."""
    digest: str
    seconds: float
    teacher_seconds: float
    """Of `seconds`, what the teacher took, both sets together."""
    transfer_teacher_seconds: float
    """Of that, the transfer set's part: what a plan forecasts."""
    usd: float | None
    usd_note: str
    rechecked: int
    largest_difference: float
    """Largest difference of a probability among the rechecked answers."""
    teacher: str
    """Fingerprint of the teacher."""
    data: DataReport
    skipped: int = 0
    """Inputs of both sets without a usable answer, which `teacher.asking.malformed` says to leave out."""
    calibration: Calibration | None = None
    """Of the teacher, on the labelled rows of the transfer set; None when these are too few to tell, and
    in a multi-label task."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The data without what the teacher skipped, and the answers, aligned with its rows."""

    data: ProjectData
    transfer: npt.NDArray[np.float32]
    holdout: npt.NDArray[np.float32]
    result: LabelResult


def label_data(
    settings: Settings,
    data: ProjectData,
    teacher: Teacher,
    store: LabelStore,
    progress: Progress,
    *,
    features: FeatureKeeper | None = None,
) -> Labelled:
    """Ask what is missing, within the budget; ask a few stored answers again.

    `features` keeps what the teacher shows of the transfer set, in the same pass.

    Raises:
        BudgetExhausted, TeacherUnavailable, LabelRejected, StoreCorrupt, StoreUnavailable: see those.
        EmptyData: the teacher skipped every input of a set.
    """
    known = store.count()
    everything = (*data.transfer.texts, *data.holdout.texts)
    recheck = store.recheck(teacher, everything, sample=RECHECKED, seed=known) if known else None

    def asked(
        name: str, texts: Sequence[str], spent_usd: float, features: FeatureKeeper | None = None
    ) -> AskReport:
        return ask_as_told(
            teacher,
            store,
            texts,
            settings=settings.teacher,
            purse=Purse.from_settings(settings, store, name, spent_usd=spent_usd),
            progress=progress,
            features=features,
        )

    transfer = asked("transfer", data.transfer.texts, 0.0, features)
    holdout = asked("holdout", data.holdout.texts, transfer.usd or 0.0)
    result = LabelResult(
        labels=transfer.labels,
        holdout=holdout.labels,
        asked=transfer.asked + holdout.asked,
        digest=transfer.digest,
        seconds=transfer.seconds + holdout.seconds,
        teacher_seconds=transfer.teacher_seconds + holdout.teacher_seconds,
        transfer_teacher_seconds=transfer.teacher_seconds,
        usd=None if transfer.usd is None else transfer.usd + (holdout.usd or 0.0),
        usd_note=transfer.usd_note,
        rechecked=recheck.asked if recheck else 0,
        largest_difference=recheck.largest_difference if recheck else 0.0,
        teacher=teacher.fingerprint,
        data=data.report,
        skipped=transfer.skipped + holdout.skipped,
        calibration=_calibrate(data.transfer, teacher, store),
    )
    return _aligned(data, store, result)


def _calibrate(transfer: Split, teacher: Teacher, store: LabelStore) -> Calibration | None:
    """Measure on the labelled rows of the transfer set, and read the answers accordingly from now on.

    Independent labels are left alone: what is measured is one distribution over the labels.
    """
    if are_independent(teacher.header):
        return None
    lacking = set(store.missing(transfer.keys))
    hard = transfer.indices(teacher.labels)
    rows = [row for row, key in enumerate(transfer.keys) if hard[row] >= 0 and key not in lacking]
    answers = store.read_raw([transfer.keys[row] for row in rows])
    calibration = measure_calibration(answers, hard[rows])
    store.calibrate(calibration)
    return calibration


def _aligned(data: ProjectData, store: LabelStore, result: LabelResult) -> Labelled:
    """The rows that have an answer, with their answers."""
    transfer, holdout = (read_known(store, split.keys) for split in (data.transfer, data.holdout))
    for name, split in (("transfer", transfer), ("holdout", holdout)):
        if len(split.known) and not split.known.any():
            reason = f"the teacher gave no usable answer to any of its {len(split.known):,} inputs"
            raise EmptyData(f"data.{name}", reason)
    kept = data.only(transfer=transfer.known, holdout=holdout.known)
    return Labelled(kept, transfer.probabilities, holdout.probabilities, result)
