"""One idempotent step of audit and control: compact, ask the teacher, look, decide, mend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coffey.artifact.predictor import Predictor
from coffey.artifact.read import read_manifest
from coffey.artifact.signing import Trust
from coffey.control.audits import AuditLog, Beside, Collected, Passed, Place, collect_audits
from coffey.control.evidence import Evidence, Observer
from coffey.control.fresh import Recent
from coffey.control.holding import held_back
from coffey.control.journal import FINISHED, ControlJournal
from coffey.control.lease import Lease
from coffey.control.looking_back import LookBack
from coffey.control.redistill import (
    ABANDONED,
    FAILED,
    OPENED,
    RedistillReport,
    Tools,
    forget_samples,
    is_settled,
    redistill,
)
from coffey.core.clock import monotonic, unix_now
from coffey.core.errors import EmptyData, ParityExceeded, StageError, UnknownVersion
from coffey.core.progress import Progress
from coffey.core.records import Decision, DecisionKind, TrafficRecord
from coffey.core.settings import Settings
from coffey.monitor.agreement import AgreementReport
from coffey.monitor.baseline import Baseline, baseline_path, load_baseline
from coffey.monitor.drift import DriftReport
from coffey.monitor.slices import SliceReport
from coffey.registry.protocol import CHAMPION, Registry
from coffey.registry.version import Version
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.paired_sequence import Comparison
from coffey.teacher.known import KnownAnswers
from coffey.teacher.protocol import Teacher
from coffey.traffic.compact import CompactReport, compact
from coffey.traffic.passed import sum_rates
from coffey.traffic.redaction import Redactor
from coffey.traffic.selection import Selection
from coffey.traffic.settle import redact_settled

NO_CHAMPION = Decision(
    DecisionKind.WAITING, "There is no champion yet. Run `coffey distill`, then `coffey promote`."
)

_RENEW_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """What a tick works with. The teacher and the tools are made only when they are needed."""

    settings: Settings
    store: Path
    registry: Registry
    journal: ControlJournal
    audits: AuditLog
    trust: Trust
    teacher: Callable[[], Teacher]
    answer: Callable[[Sequence[str], Progress], KnownAnswers]
    """As `audits.Answer`, told the progress of this tick: it keeps the lease while the teacher works."""
    tools: Callable[[Progress], Tools]
    redactor: Redactor = field(default_factory=lambda: Redactor(None))
    """What is kept of texts once the teacher was asked."""
    announce: Callable[[Progress], None] = lambda progress: None
    """Tells people what the journal says and they were not told yet. Never raises."""

    @property
    def observer(self) -> Observer:
        """What looks at the champion."""
        return Observer(
            settings=self.settings,
            store=self.store,
            registry=self.registry,
            audits=self.audits,
            trust=self.trust,
        )

    def look_back(self, progress: Progress) -> LookBack:
        """What compares the champion with the one before it."""
        return LookBack(
            settings=self.settings,
            store=self.store,
            registry=self.registry,
            journal=self.journal,
            trust=self.trust,
            answer=lambda texts: self.answer(texts, progress),
        )

    def unfinished(self) -> tuple[str, Version] | tuple[None, None]:
        """The re-distillation that was begun and not ended, and the champion that it is to mend."""
        opened = self.journal.last(OPENED)
        if opened is None or opened.key is None or self.journal.find(f"{opened.key}/{FINISHED}") is not None:
            return None, None
        return opened.key, self.registry.resolve(str(opened.body["champion"]))

    def is_wanted(self, run_id: str, champion: Version) -> bool:
        """Whether an unfinished re-distillation is to be ended: nobody else replaced its champion."""
        return self.registry.alias(CHAMPION) == champion.name or is_settled(run_id, self.registry)

    def hold_back(self, seen: Evidence) -> Decision:
        """What is decided now."""
        return held_back(
            seen,
            journal=self.journal,
            registry=self.registry,
            settings=self.settings.control,
            now_unix_s=unix_now(),
        )


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one tick saw and did."""

    decision: Decision
    champion: str | None
    agreement: AgreementReport | None
    drift: DriftReport | None
    audited: int
    """Requests that the teacher answered in this tick."""
    requests: int
    """Requests that the champion has served since it was promoted."""
    compacted: CompactReport
    redistilled: RedistillReport | None = None
    skipped: int = 0
    """Audited requests that the teacher gave no usable answer to, in this tick; see `control.audits`."""
    unlabelled: int = 0
    """Those of the champion in all, since it was promoted. They are in no estimate."""
    slices: SliceReport | None = None
    """The requests that a drop comes from."""
    looked_back: Comparison | None = None
    """Of the previous champion against this one, where this one is a re-distillation of it."""

    @property
    def alarm(self) -> bool:
        """Whether the evidence reached its threshold since the champion was promoted."""
        return self.agreement is not None and self.agreement.alarm


def tick(loop: Loop, progress: Progress) -> TickReport:
    """Do what is due, once. Killed anywhere and run again, nothing is lost or done twice.

    Raises:
        LeaseHeld: another tick works on this store now.
        TeacherUnavailable, StoreUnavailable: something outside failed; the next tick goes on from here.
    """
    lease = Lease(loop.store / "control" / "tick.lease", who="tick")
    with lease:
        renewing = _Renewing(progress, lease)
        try:
            return _tick(loop, renewing)
        finally:
            loop.announce(renewing)


def _tick(loop: Loop, progress: Progress) -> TickReport:
    days = loop.settings.monitor.retention_days
    compacted = compact(loop.store, retention_days=days, redactor=loop.redactor, progress=progress)
    _forget_texts(loop)
    resumed = _resume(loop, compacted, progress)
    if resumed is not None:
        return resumed
    try:
        champion = loop.registry.resolve(CHAMPION)
    except UnknownVersion:
        return TickReport(NO_CHAMPION, None, None, None, 0, 0, compacted)
    observer = loop.observer
    served = observer.served(champion)
    collected = _ask_teacher(loop, champion, served, progress)
    _redact(loop, served)
    seen = observer.look(champion, served)
    back = loop.look_back(progress).go_on(champion, seen.since_unix_s, unix_now())
    looked_back = None if back is None else back.comparison
    if back is not None and back.decision is not None:
        progress.say(back.decision.reason)
        return report_of(seen, back.decision, compacted, collected, looked_back=looked_back)
    decision = loop.hold_back(seen)
    key = f"{champion.name}/{seen.since_unix_s:.3f}/{len(seen.audits)}/{decision.kind.value}"
    entry = loop.journal.record_decision(decision, key=key)
    loop.announce(progress)
    finished = None
    if decision.kind is DecisionKind.REDISTILL:
        run_id = f"{champion.digest[:8]}-{entry.number}"
        loop.journal.record(OPENED, {"champion": champion.name, "audits": len(seen.audits)}, key=run_id)
        progress.say(decision.reason)
        finished = _mend(loop, run_id, champion, seen.recent(), progress)
    return report_of(seen, decision, compacted, collected, redistilled=finished, looked_back=looked_back)


def report_of(
    seen: Evidence,
    decision: Decision,
    compacted: CompactReport,
    collected: Collected,
    *,
    redistilled: RedistillReport | None = None,
    looked_back: Comparison | None = None,
) -> TickReport:
    """What a tick saw, and what it did."""
    return TickReport(
        decision=decision,
        champion=seen.champion.name,
        agreement=seen.agreement,
        drift=seen.drift,
        audited=collected.audited,
        requests=seen.requests,
        compacted=compacted,
        redistilled=redistilled,
        skipped=collected.skipped,
        unlabelled=seen.unlabelled,
        slices=seen.slices,
        looked_back=looked_back,
    )


def _resume(loop: Loop, compacted: CompactReport, progress: Progress) -> TickReport | None:
    """End the re-distillation that an earlier tick began and did not finish, if there is one.

    The report is that tick's own: the evidence about the champion that was to be mended. New requests wait
    for the next tick.
    """
    run_id, champion = loop.unfinished()
    if run_id is None or champion is None:
        return None
    if not loop.is_wanted(run_id, champion):
        progress.say(f"The re-distillation {run_id} is given up: {champion.name} is champion no more.")
        loop.journal.record(FINISHED, {"version": None, "kind": ABANDONED}, key=f"{run_id}/{FINISHED}")
        return None
    progress.say(f"Going on with the re-distillation {run_id} that an earlier tick began.")
    observer = loop.observer
    seen = observer.look(champion, observer.served(champion))
    finished = _mend(loop, run_id, champion, seen.recent(), progress)
    return report_of(seen, seen.decision, compacted, Collected(), redistilled=finished)


def _mend(loop: Loop, run_id: str, champion: Version, recent: Recent, progress: Progress) -> RedistillReport:
    """Re-distill. A run that cannot succeed is ended before the error is raised; later ticks go on."""
    tools = loop.tools(progress)
    try:
        return redistill(run_id, champion, recent, tools, progress)
    except (StageError, ParityExceeded, EmptyData) as exc:
        body = {"version": None, "kind": FAILED, "reason": str(exc)}
        loop.journal.record(FINISHED, body, key=f"{run_id}/{FINISHED}")
        raise


def _ask_teacher(loop: Loop, champion: Version, served: Selection, progress: Progress) -> Collected:
    traffic, settled = served.records(audited=True), loop.audits.settled()
    if not any(record.audit and record.id not in settled for record in traffic):
        return Collected()
    teacher = loop.teacher()
    manifest = read_manifest(loop.store / champion.artifact, trust=loop.trust)
    baseline = load_baseline(baseline_path(loop.store, champion.digest))
    return collect_audits(
        traffic,
        loop.audits,
        redact=loop.redactor.text,
        answer=lambda texts: loop.answer(texts, progress),
        labels=teacher.labels,
        teacher=teacher.fingerprint,
        scoring=manifest.scoring,
        beside=Beside(
            passed=None if manifest.bins is None else _passed(loop, champion, served, manifest.bins),
            place=None if baseline is None else _place(loop, champion, baseline),
        ),
    )


def _place(loop: Loop, champion: Version, baseline: Baseline) -> Place:
    predictor = Predictor.load(loop.store / champion.artifact, trust=loop.trust)
    return lambda texts: baseline.places(predictor, texts)


def _passed(loop: Loop, champion: Version, served: Selection, bins: ConfidenceBins) -> Passed:
    after = loop.audits.asked_until(champion.digest)

    def count(chosen: Sequence[TrafficRecord]) -> npt.NDArray[np.float64]:
        return sum_rates(served, [record.unix_s for record in chosen], after=after, edges=bins.edges)

    return count


def _forget_texts(loop: Loop) -> None:
    """The retention time holds for the texts that audits and re-distillations kept, too."""
    before = unix_now() - loop.settings.monitor.retention_days * 86_400
    loop.audits.forget_texts(before)
    forget_samples(loop.store, loop.journal, before)


def _redact(loop: Loop, served: Selection) -> None:
    """Redact audited requests in the log, but those that the champion's audit still needs."""
    if loop.redactor.keeps:
        return
    waiting = {record.id for record in served.records(audited=True)} - loop.audits.settled()
    redact_settled(loop.store, loop.redactor, waiting=waiting)


class _Renewing:
    """Progress that keeps the lease alive while long work goes on."""

    def __init__(self, told: Progress, lease: Lease) -> None:
        self._told = told
        self._lease = lease
        self._renewed = monotonic()

    def start(self, task: str, total: float | None, unit: str) -> None:
        self._renew()
        self._told.start(task, total, unit)

    def advance(self, task: str, amount: float = 1, note: str = "") -> None:
        self._renew()
        self._told.advance(task, amount, note)

    def finish(self, task: str, note: str = "") -> None:
        self._renew()
        self._told.finish(task, note)

    def say(self, line: str) -> None:
        self._told.say(line)

    def _renew(self) -> None:
        if monotonic() - self._renewed > _RENEW_S:
            self._lease.renew()
            self._renewed = monotonic()
