"""One idempotent step of audit and control: compact, ask the teacher, look, decide, mend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust
from coffey.control.audits import AuditLog, collect_audits
from coffey.control.candidate import reference_path
from coffey.control.journal import ControlJournal, Entry
from coffey.control.lease import Lease
from coffey.control.policy import decide
from coffey.control.redistill import (
    ABANDONED,
    FAILED,
    FINISHED,
    Recent,
    RedistillReport,
    Tools,
    is_settled,
    redistill,
)
from coffey.core.clock import monotonic
from coffey.core.errors import EmptyData, ParityExceeded, StageError, UnknownVersion
from coffey.core.progress import Progress
from coffey.core.records import Audit, Decision, DecisionKind, TrafficRecord
from coffey.core.settings import Settings
from coffey.monitor.agreement import AgreementReport, watch_agreement
from coffey.monitor.drift import DriftReport, measure_drift
from coffey.monitor.sample import ROWS, load_sample, sample_requests
from coffey.registry.protocol import CHAMPION, Registry
from coffey.registry.version import Version
from coffey.teacher.protocol import Teacher
from coffey.traffic.compact import CompactReport, compact
from coffey.traffic.query import read_traffic

OPENED = "redistill"
"""The kind of entry that begins a re-distillation."""

LEAST_REQUESTS = 50
"""Distinct requests since the change that a re-distillation waits for: of fewer, under 20 are left to judge
by, on which no gain under 20 points can be shown."""

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
    answer: Callable[[Sequence[str], Progress], npt.NDArray[np.float32]]
    """As `audits.Answer`, told the progress of this tick: it keeps the lease while the teacher works."""
    tools: Callable[[Progress], Tools]


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
        return _tick(loop, _Renewing(progress, lease))


def average_run_length(settings: Settings) -> float:
    """Audits between false alarms, at least: audits a day times the days that are promised."""
    return settings.monitor.audits_per_day * settings.monitor.false_alarm_every_days


def _tick(loop: Loop, progress: Progress) -> TickReport:
    compacted = compact(loop.store, retention_days=loop.settings.monitor.retention_days)
    resumed = _resume(loop, compacted, progress)
    if resumed is not None:
        return resumed
    try:
        champion = loop.registry.resolve(CHAMPION)
    except UnknownVersion:
        waiting = Decision(
            DecisionKind.WAITING, "There is no champion yet. Run `coffey distill`, then `coffey promote`."
        )
        return TickReport(waiting, None, None, None, 0, 0, compacted)
    since = _champion_since(loop.registry, champion)
    traffic = read_traffic(loop.store, model=champion.digest, since=since)
    audited = _ask_teacher(loop, traffic, progress)
    audits = _audits(loop, champion, since)
    agreement = _look(loop, champion, audits)
    recent = _since_change(traffic, audits, agreement)
    drift = _drift(loop, champion, recent)
    decision = decide(
        agreement, drift, champion.contract, audits_per_day=loop.settings.monitor.audits_per_day
    )
    decision = _patience(decision, loop.journal, champion, len(audits))
    decision = _with_requests(decision, recent)
    entry = loop.journal.record_decision(
        decision, key=f"{champion.name}/{since:.3f}/{len(audits)}/{decision.kind.value}"
    )
    finished = None
    if decision.kind is DecisionKind.REDISTILL:
        run_id = f"{champion.digest[:8]}-{entry.number}"
        loop.journal.record(OPENED, {"champion": champion.name, "audits": len(audits)}, key=run_id)
        progress.say(decision.reason)
        finished = _mend(loop, run_id, champion, recent, progress)
    return TickReport(decision, champion.name, agreement, drift, audited, len(traffic), compacted, finished)


def _resume(loop: Loop, compacted: CompactReport, progress: Progress) -> TickReport | None:
    """End the re-distillation that an earlier tick began and did not finish, if there is one.

    The report is that tick's own: the evidence about the champion that was to be mended. New requests wait
    for the next tick.
    """
    opened = loop.journal.last(OPENED)
    if opened is None or opened.key is None or loop.journal.find(f"{opened.key}/{FINISHED}") is not None:
        return None
    champion = loop.registry.resolve(str(opened.body["champion"]))
    if loop.registry.alias(CHAMPION) != champion.name and not is_settled(opened.key, loop.registry):
        progress.say(f"The re-distillation {opened.key} is given up: {champion.name} is champion no more.")
        loop.journal.record(FINISHED, {"version": None, "kind": ABANDONED}, key=f"{opened.key}/{FINISHED}")
        return None
    progress.say(f"Going on with the re-distillation {opened.key} that an earlier tick began.")
    since = _champion_since(loop.registry, champion)
    traffic = read_traffic(loop.store, model=champion.digest, since=since)
    audits = _audits(loop, champion, since)
    agreement = _look(loop, champion, audits)
    recent = _since_change(traffic, audits, agreement)
    drift = _drift(loop, champion, recent)
    decision = decide(
        agreement, drift, champion.contract, audits_per_day=loop.settings.monitor.audits_per_day
    )
    finished = _mend(loop, opened.key, champion, recent, progress)
    return TickReport(decision, champion.name, agreement, drift, 0, len(traffic), compacted, finished)


def _mend(loop: Loop, run_id: str, champion: Version, recent: Recent, progress: Progress) -> RedistillReport:
    """Re-distill. A run that cannot succeed is ended before the error is raised; later ticks go on."""
    tools = loop.tools(progress)
    try:
        return redistill(run_id, champion, recent, tools, progress)
    except (StageError, ParityExceeded, EmptyData) as exc:
        body = {"version": None, "kind": FAILED, "reason": str(exc)}
        loop.journal.record(FINISHED, body, key=f"{run_id}/{FINISHED}")
        raise


def _champion_since(registry: Registry, champion: Version) -> float:
    """When a version became champion last, in seconds since 1970."""
    moved = [event.unix_s for event in registry.events() if event.moves.get(CHAMPION) == champion.name]
    return moved[-1] if moved else 0.0


def _ask_teacher(loop: Loop, traffic: list[TrafficRecord], progress: Progress) -> int:
    known = {audit.id for audit in loop.audits.all()}
    if not any(record.audit and record.id not in known for record in traffic):
        return 0
    teacher = loop.teacher()
    return collect_audits(
        traffic,
        loop.audits,
        answer=lambda texts: loop.answer(texts, progress),
        labels=teacher.labels,
        teacher=teacher.fingerprint,
    )


def _audits(loop: Loop, champion: Version, since: float) -> list[Audit]:
    """The champion's audits by the teacher that it was promised against; another's say nothing of that."""
    teacher = champion.lineage.get("teacher")
    return [
        audit
        for audit in loop.audits.of(champion.digest)
        if audit.unix_s >= since and teacher in (None, audit.teacher)
    ]


def _look(loop: Loop, champion: Version, audits: list[Audit]) -> AgreementReport | None:
    if champion.contract is None or not audits:
        return None
    return watch_agreement(audits, champion.contract, average_run_length=average_run_length(loop.settings))


def _since_change(
    traffic: list[TrafficRecord], audits: list[Audit], agreement: AgreementReport | None
) -> Recent:
    """The traffic and audits since the change, after an alarm; before one, the latest."""
    if agreement is None or agreement.change is None or not agreement.alarm:
        return Recent(traffic[-ROWS:], audits[-ROWS:])
    start = agreement.change.unix_s
    return Recent(
        [record for record in traffic if record.unix_s >= start],
        [audit for audit in audits if audit.unix_s >= start],
    )


def _drift(loop: Loop, champion: Version, recent: Recent) -> DriftReport | None:
    reference = load_sample(reference_path(loop.store, champion.digest))
    if reference is None or not recent.traffic:
        return None
    predictor = Predictor.load(loop.store / champion.artifact, trust=loop.trust)
    return measure_drift(reference, sample_requests(predictor, [record.text for record in recent.traffic]))


def _patience(decision: Decision, journal: ControlJournal, champion: Version, audits: int) -> Decision:
    """After a challenger lost or a run failed, the next try waits for twice the audits."""
    lost = [
        entry
        for entry in journal.entries(OPENED)
        if entry.body["champion"] == champion.name and _kept(journal, entry)
    ]
    if decision.kind is not DecisionKind.REDISTILL or not lost or audits >= 2 * lost[-1].body["audits"]:
        return decision
    tried = lost[-1].body["audits"]
    reason = (
        f"{decision.reason} A challenger lost at {tried:,} audits; the next is trained at {2 * tried:,} "
        f"(there are {audits:,})."
    )
    return Decision(DecisionKind.KEEP, reason, decision.numbers)


def _with_requests(decision: Decision, recent: Recent) -> Decision:
    """A re-distillation needs something to learn from and to be judged by; until then it is looked into."""
    distinct = len({record.text for record in recent.traffic})
    if decision.kind is not DecisionKind.REDISTILL or distinct >= LEAST_REQUESTS:
        return decision
    reason = (
        f"{decision.reason} That waits for {LEAST_REQUESTS} distinct requests since the change "
        f"(there are {distinct})."
    )
    return Decision(DecisionKind.INVESTIGATE, reason, decision.numbers)


def _kept(journal: ControlJournal, opened: Entry) -> bool:
    finished = journal.find(f"{opened.key}/{FINISHED}")
    return finished is not None and finished.body["kind"] in (DecisionKind.KEEP.value, FAILED)


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
