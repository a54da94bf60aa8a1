"""Drift of the champion's inputs: bounded samples and the student's own features, so it takes seconds."""

from __future__ import annotations

from collections.abc import Hashable

from coffey.artifact.predictor import Predictor
from coffey.control.audits import AuditLog
from coffey.control.history import judged, reigns
from coffey.control.journal import DECISION, ControlJournal
from coffey.core.records import JsonObject
from coffey.monitor.drift import measure_drift
from coffey.monitor.sample import ROWS, load_sample, reference_path, sample_requests
from coffey.project.board.contract import bins_of, plain_object
from coffey.project.workspace import Workspace


class DriftSource:
    """Measured anew when a tick has seen something new. Like a tick: after an alarm since the change."""

    def __init__(self, space: Workspace, journal: ControlJournal) -> None:
        """Read nothing yet."""
        self._space = space
        self._journal = journal

    def token(self) -> Hashable:
        """Of the champion and the last decision."""
        return self._space.registry.state_token(), len(self._journal.entries(DECISION))

    def read(self) -> JsonObject:
        """`drift` as a tick reports it; None without a champion, a reference or requests."""
        from coffey.traffic.selection import select

        found = reigns(self._space.registry)
        if not found or found[-1].until_unix_s is not None:
            return {"drift": None}
        now = found[-1]
        store, digest = self._space.store, now.version.digest
        reference = load_sample(reference_path(store, digest))
        audits = now.audits(AuditLog(store / "audits").of(digest))
        report = judged(now, audits, self._space.settings, bins=bins_of(self._space, now.version))
        if report is not None and report.alarm and report.change is not None:
            texts = select(store, model=digest, since=report.change.unix_s).spread(ROWS)
        else:
            texts = select(store, model=digest, since=now.since_unix_s).latest(ROWS)
        if reference is None or not texts:
            return {"drift": None}
        predictor = Predictor.load(store / now.version.artifact, trust=self._space.trust)
        return {"drift": plain_object(measure_drift(reference, sample_requests(predictor, texts)))}
