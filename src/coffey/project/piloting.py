"""`plan --pilot`: candidates trained briefly on the project's own data, and what earlier pilots taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from coffey.core.clock import utc_now
from coffey.core.errors import MissingExtra, PlanError
from coffey.core.eventlog import EventLog
from coffey.core.records import Figure, Origin
from coffey.core.settings import Settings
from coffey.dashboard.plain import plain
from coffey.economics.pilot_result import PilotResult
from coffey.economics.quality_forecast import QualityForecast, Reached
from coffey.project.reporting import keep_result, kept_result
from coffey.project.wiring import LATER
from coffey.project.workspace import Workspace
from coffey.teacher.spending import Spent, read_spending, spending_folder

if TYPE_CHECKING:
    from coffey.distill.records import ChainRequest
    from coffey.project.transfer import ProjectData


_FEWEST_TIMED = 512
"""Answers that the teacher's pace is read from, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piloted:
    """What a pilot found."""

    results: tuple[PilotResult, ...] = ()
    """One a candidate."""
    asked: int = 0
    """Texts that the teacher answered for it; what was known before is not asked."""
    asked_s: float = 0.0
    """Seconds that this took the teacher."""

    @property
    def pace(self) -> Figure | None:
        """Texts a second; None where few were asked."""
        if self.asked < _FEWEST_TIMED or not self.asked_s:
            return None
        note = f"{self.asked:,} answers for the pilot"
        return Figure(self.asked / self.asked_s, "texts a second", Origin.MEASURED, note)


def run_pilot(space: Workspace, settings: Settings) -> Piloted:
    """Train every stage of `settings` on small subsets; the results are kept for later plans.

    Raises:
        MissingExtra: it needs the extra `distill`.
        PlanError: the task has many labels a text.
        DataError, TeacherError, StageError, StoreError: see those.
    """
    if settings.task.many_labels:
        raise PlanError(
            "A pilot foresees the share of equal labels, which a multi-label task has not. "
            "Run `coffey plan --probe`, and `coffey distill` on a part of the transfer set."
        )
    try:
        from coffey.probe.lost_and_won import JudgedOn
        from coffey.probe.pilot import run_pilot as train_pilot
        from coffey.project.transfer import read_data
    except ModuleNotFoundError as exc:
        raise MissingExtra("plan --pilot", "distill", exc.name or "torch") from exc
    data = read_data(settings, space.progress)
    before = _spent(space)
    results = train_pilot(
        _request(space, settings, data),
        lambda texts: space.answer(texts, features=space.feature_keeper(len(texts))),
        history=read_reached(space),
        holdout=JudgedOn(len(data.holdout.texts), _teacher_accuracy(space, data)),
        progress=space.progress,
    )
    after = _spent(space)
    found = Piloted(results=results, asked=after.texts - before.texts, asked_s=after.seconds - before.seconds)
    kept = {"results": plain(results), "asked": found.asked, "asked_s": found.asked_s}
    keep_result(space, "pilot", {"of": _of(settings), "at": utc_now(), **kept})
    return found


def _teacher_accuracy(space: Workspace, data: ProjectData) -> float | None:
    """On the holdout; its answers there are those that `distill` needs, and are bought once."""
    if not data.holdout.labelled():
        return None
    hard = data.holdout.indices(space.teacher.labels)
    right = space.answer(data.holdout.texts).argmax(axis=1) == hard
    return float(right[hard >= 0].mean()) or None


def _spent(space: Workspace) -> Spent:
    return read_spending(spending_folder(space.store, space.teacher.fingerprint)).get(LATER, Spent())


def kept_pilot(space: Workspace, settings: Settings) -> Piloted:
    """What the last pilot found, when it was of this teacher, data and training; else nothing."""
    kept = kept_result(space, "pilot")
    if kept is None or kept["of"] != _of(settings):
        return Piloted()
    return msgspec.convert(kept, Piloted)


def qualities(results: Sequence[PilotResult]) -> dict[str, QualityForecast]:
    """The forecast that the gate will look at, by stage: retention where there are hard labels."""
    return {one.name: one.retention or one.agreement for one in results}


def quality_rows(results: Sequence[PilotResult], last: str) -> dict[str, Figure]:
    """The quality of the student that ships, as rows of a plan's forecast."""
    return {
        one.measure: Figure(
            one.value,
            "share",
            Origin.MEASURED,
            f"{one.confidence:.0%} between {one.low:.3f} and {one.high:.3f}; {one.points} short trainings",
        )
        for one in _foreseen(results, last)
    }


def quality_ends(results: Sequence[PilotResult], last: str) -> dict[str, tuple[float, float]]:
    """Low and high of each of `quality_rows`."""
    return {one.measure: (one.low, one.high) for one in _foreseen(results, last)}


def _foreseen(results: Sequence[PilotResult], last: str) -> list[QualityForecast]:
    found = next((one for one in results if one.name == last), None)
    forecasts = (found.retention, found.agreement) if found else ()
    return [one for one in forecasts if one is not None]


def read_reached(space: Workspace) -> list[Reached]:
    """Earlier pilots beside what their students came to."""
    return [msgspec.convert(event.body["reached"], Reached) for event in _log(space).read()]


def keep_reached(space: Workspace, run: str, made: str, done: Mapping[str, Any]) -> None:
    """Keep, once a run, what the pilot before it had foreseen beside what the run reached.

    Args:
        space: the project.
        run: names the run.
        made: when its artifact was made (ISO 8601 in UTC): a later pilot has foreseen nothing of it.
        done: what `distill` printed.
    """
    kept = kept_result(space, "pilot")
    if kept is None or kept["at"] > made:
        return
    log = _log(space)
    known = {(event.body["run"], event.body["stage"], event.body["measure"]) for event in log.read()}
    number = len(known)
    stages = {stage["name"]: stage["quality"] for stage in done["stages"]}
    for result in msgspec.convert(kept["results"], tuple[PilotResult, ...]):
        for foreseen in (result.agreement, result.retention):
            reached = _reached(foreseen, stages.get(result.name))
            if foreseen is None or reached is None or (run, result.name, foreseen.measure) in known:
                continue
            number += 1
            body = {"run": run, "stage": result.name, "measure": foreseen.measure, "reached": plain(reached)}
            if not log.append(number, body):
                return  # another process keeps the same lesson now


def _reached(foreseen: QualityForecast | None, quality: Mapping[str, Any] | None) -> Reached | None:
    found = quality[foreseen.measure] if foreseen and quality else None
    return Reached.of(foreseen, found["value"]) if foreseen and found else None


def _request(space: Workspace, settings: Settings, data: ProjectData) -> ChainRequest:
    from coffey.distill.records import ChainRequest
    from coffey.teacher.protocol import ExportableTeacher

    teacher, chain = space.teacher, settings.chain
    exportable = teacher if isinstance(teacher, ExportableTeacher) else None
    return ChainRequest(
        texts=data.transfer.texts,
        keys=data.transfer.keys,
        teacher=np.empty((0, len(teacher.labels)), dtype=np.float32),
        hard=data.transfer.indices(teacher.labels),
        validation=data.validation(share=chain.validation, seed=chain.seed),
        labels=teacher.labels,
        stages=chain.stages,
        settings=chain,
        folder=space.store / "pilot",
        tokenizer=exportable.tokenizer() if exportable else None,
        encoder=exportable.encoder() if exportable else None,
        features=space.feature_reader(),
    )


def _of(settings: Settings) -> object:
    """What a pilot's results depend on beside the stages, each of which is looked up by its name."""
    chain = replace(settings.chain, stages=(), threads=None, checkpoint_seconds=1.0)
    return plain([settings.teacher, settings.data, settings.task, chain])


def _log(space: Workspace) -> EventLog:
    return EventLog(space.store / "pilots")
