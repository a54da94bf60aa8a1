"""`label`: the teacher's answers to the transfer set and the holdout, in the label store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.core.progress import Progress
from coffey.core.settings import Settings
from coffey.project.transfer import DataReport, ProjectData
from coffey.teacher.asking import AskReport, ask
from coffey.teacher.budget import Price
from coffey.teacher.protocol import Teacher
from coffey.teacher.store import LabelStore

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


@dataclass(frozen=True, slots=True)
class Labelled:
    """The answers, aligned with the rows of the project's data."""

    transfer: npt.NDArray[np.float32]
    holdout: npt.NDArray[np.float32]
    result: LabelResult


def label_data(
    settings: Settings, data: ProjectData, teacher: Teacher, store: LabelStore, progress: Progress
) -> Labelled:
    """Ask what is missing, within the budget; ask a few stored answers again.

    Raises:
        BudgetExhausted, TeacherUnavailable, LabelRejected, StoreCorrupt, StoreUnavailable: see those.
    """
    known = store.count()
    everything = (*data.transfer.texts, *data.holdout.texts)
    recheck = store.recheck(teacher, everything, sample=RECHECKED, seed=known) if known else None
    price = Price.from_settings(settings.teacher.cost)
    limit = settings.budget.max_usd if price else None
    reports: list[AskReport] = []
    for split in (data.transfer, data.holdout):
        spent = sum(report.usd or 0.0 for report in reports)
        reports.append(
            ask(
                teacher,
                store,
                split.texts,
                batch_size=settings.teacher.batch_size,
                limit_usd=None if limit is None else limit - spent,
                price=price,
                progress=progress,
            )
        )
    transfer, holdout = reports
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
    )
    return Labelled(store.read(data.transfer.keys), store.read(data.holdout.keys), result)
