"""`tick`: one step of audit and control with the project's own teacher, store and settings."""

from __future__ import annotations

from coffey.control.audits import AuditLog
from coffey.control.dry_run import DryRun, dry_run
from coffey.control.journal import ControlJournal
from coffey.control.redistill import OldLessons, Tools
from coffey.control.tick import Loop, TickReport, tick
from coffey.core.progress import Progress
from coffey.project.alerting import build_announcer, keep_gauges
from coffey.project.distilling import prepare
from coffey.project.privacy import build_redactor
from coffey.project.workspace import Workspace


def tick_project(space: Workspace) -> TickReport:
    """Compact the traffic log, audit, decide, and mend when that is due.

    Raises:
        LeaseHeld: another tick works on this store now.
        TeacherError, StoreError: something outside failed; the next tick goes on from there.
    """
    report = tick(make_loop(space), space.progress)
    keep_gauges(space, report)
    return report


def dry_tick(space: Workspace) -> DryRun:
    """What `tick_project` would do now; nothing is changed and the teacher is not loaded.

    Raises:
        StoreError: the store cannot be read.
    """
    return dry_run(make_loop(space))


def make_loop(space: Workspace) -> Loop:
    """The loop over this project's store; the teacher is loaded when it is first needed."""
    journal = control_journal(space)
    return Loop(
        settings=space.settings,
        store=space.store,
        registry=space.registry,
        journal=journal,
        audits=AuditLog(space.store / "audits"),
        trust=space.trust,
        teacher=lambda: space.teacher,
        answer=space.answer_known,
        tools=lambda progress: _tools(space, progress),
        redactor=build_redactor(space.settings, space.folder),
        announce=build_announcer(space.settings, journal),
    )


def control_journal(space: Workspace) -> ControlJournal:
    """What the loop did and decided."""
    return ControlJournal(space.store / "control" / "events")


def _tools(space: Workspace, progress: Progress) -> Tools:
    lesson = prepare(space, progress, augmented=False)
    return Tools(
        settings=space.settings,
        store=space.store,
        registry=space.registry,
        journal=control_journal(space),
        answer=lambda texts: space.answer_known(texts, progress),
        teacher_fingerprint=space.teacher.fingerprint,
        teacher_params=space.teacher.params,
        labels=space.teacher.labels,
        signer=space.signer,
        trust=space.trust,
        old=OldLessons(
            texts=lesson.data.transfer.texts,
            keys=lesson.data.transfer.keys,
            teacher=lesson.labelled.transfer,
            hard=lesson.hard,
            holdout=lesson.holdout,
            label_digest=lesson.labelled.result.digest,
        ),
    )
