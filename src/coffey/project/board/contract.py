"""The contract page: agreement champion after champion, evidence, slices, spending, decisions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, replace

from coffey.artifact.read import read_manifest
from coffey.control.audits import AuditLog
from coffey.control.history import Reign, fallen_slices, judged, reigns
from coffey.control.journal import DECISION, ControlJournal, Entry
from coffey.core.clock import stamp, unix_now
from coffey.core.errors import ArtifactError, StoreUnavailable
from coffey.core.records import Audit, JsonObject
from coffey.dashboard.plain import plain
from coffey.monitor.agreement import AgreementPoint, AgreementReport
from coffey.monitor.slices import Slice
from coffey.project.wiring import LATER
from coffey.project.workspace import Workspace
from coffey.registry.version import Version
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.teacher.spending import read_spending, spending_folder
from coffey.traffic.redaction import DROPPED

REIGNS = 6
"""Champions whose audits are drawn, the present one among them."""
DECISIONS = 50
"""Decisions that are listed."""


class ContractSource:
    """Reads audits and journal, never the traffic."""

    def __init__(
        self, space: Workspace, journal: ControlJournal, *, now: Callable[[], float] = unix_now
    ) -> None:
        """Read nothing yet."""
        self._space = space
        self._journal = journal
        self._audits = AuditLog(space.store / "audits")
        self._now = now
        self._done: dict[tuple[str, float], AgreementReport | None] = {}
        """Of reigns that are over: their audits are what they are."""

    def token(self) -> Hashable:
        """How much was logged."""
        registry = self._space.registry.state_token()
        return registry, len(self._journal.entries()), len(self._audits.all()), len(self._audits.unlabelled())

    def read(self) -> JsonObject:
        """Everything about the present champion, and the series of those before it."""
        found = reigns(self._space.registry)
        if not found or found[-1].until_unix_s is not None:
            return {"champion": None}
        now = found[-1]
        audits = now.audits(self._audits.all())
        reports = [(reign, self._judged(reign)) for reign in found[-REIGNS:]]
        decisions = self._journal.entries(DECISION)
        store, report = self._space.store, reports[-1][1]
        slices = fallen_slices(audits, report, store=store, champion=now.version)
        return {
            "champion": now.version.name,
            "since": stamp(now.since_unix_s),
            "audits": len(audits),
            "unlabelled": self._unlabelled(now),
            "decision": decision_of(decisions[-1]) if decisions else None,
            "agreement": _without_series(report),
            "watch": _watch(reports, decisions),
            "slices": {
                "sentence": slices.sentence if slices else "",
                "found": [self._said(one) for one in slices.found] if slices else [],
                "others": [self._said(one) for one in slices.others] if slices else [],
            },
            "spent": self._spent(now.version),
        }

    def _judged(self, reign: Reign) -> AgreementReport | None:
        key = (reign.version.name, reign.since_unix_s)
        if reign.until_unix_s is None or key not in self._done:
            bins = bins_of(self._space, reign.version)
            audits = reign.audits(self._audits.all())
            self._done[key] = judged(reign, audits, self._space.settings, bins=bins)
        return self._done[key]

    def _unlabelled(self, reign: Reign) -> int:
        teacher = reign.version.lineage.get("teacher")
        return sum(
            one.model == reign.version.digest
            and one.unix_s >= reign.since_unix_s
            and teacher in (None, one.teacher)
            for one in self._audits.unlabelled()
        )

    def _spent(self, version: Version) -> JsonObject | None:
        """What was asked after the first labelling, priced as it was noted."""
        teacher = version.lineage.get("teacher")
        noted = read_spending(spending_folder(self._space.store, str(teacher))) if teacher else {}
        return asdict(noted[LATER]) if LATER in noted else None

    def _said(self, one: Slice) -> JsonObject:
        """A slice; texts that are older than the retention time are not shown, though a tick may be late."""
        before = self._now() - self._space.settings.monitor.retention_days * 86_400
        kept = [replace(each, text=DROPPED) if each.unix_s < before else each for each in one.examples]
        return {**plain_object(replace(one, examples=())), "examples": [_example(each) for each in kept]}


def bins_of(space: Workspace, version: Version) -> ConfidenceBins | None:
    """By which its audits were aimed; None as well where its artifact cannot be verified any more."""
    try:
        return read_manifest(space.store / version.artifact, trust=space.trust).bins
    except (ArtifactError, StoreUnavailable):
        return None


def decision_of(entry: Entry) -> JsonObject:
    """A decision as the journal says it."""
    return {
        "time": stamp(entry.unix_s),
        "kind": entry.body["kind"],
        "reason": entry.body["reason"],
        "numbers": entry.body["numbers"],
    }


def _example(audit: Audit) -> JsonObject:
    return {
        "text": audit.text,
        "teacher_label": audit.teacher_label,
        "student_label": audit.student_label,
        "confidence": audit.confidence,
    }


def _without_series(report: AgreementReport | None) -> JsonObject | None:
    return None if report is None else plain_object(replace(report, series=()))


def point_of(point: AgreementPoint, *, after: int = 0) -> JsonObject:
    """One point of a series as the pages draw it; `after` audits of earlier champions."""
    return {
        "index": after + point.audits,
        "unix_s": point.unix_s,
        "agreement": point.agreement.value,
        "low": point.agreement.low,
        "high": point.agreement.high,
        "log_evidence": point.log_evidence,
    }


def plain_object(record: object) -> JsonObject:
    """A record as a JSON object."""
    found = plain(record)
    assert isinstance(found, Mapping)
    return found


def _watch(reports: Sequence[tuple[Reign, AgreementReport | None]], decisions: Sequence[Entry]) -> JsonObject:
    """The series of all reigns, one after another, as the pages draw them."""
    series: list[JsonObject] = []
    promises: list[JsonObject] = []
    events: list[JsonObject] = []
    offset = 0
    for reign, report in reports:
        if report is None:
            continue
        if offset:
            events.append({"index": offset, "label": f"{reign.why}: {reign.version.name}"})
        promises.append({"index": offset, "agreement": report.promised.value})
        if report.alarm_index is not None:
            events.append({"index": offset + report.alarm_index, "label": "alarm"})
        phase = reign.version.name
        series += [{**point_of(point, after=offset), "phase": phase} for point in report.series]
        offset += report.audits
    last = reports[-1][1] if reports else None
    contract = reports[-1][0].version.contract if reports else None
    return {
        "contract": asdict(contract) if contract else None,
        "promises": promises,
        "series": series,
        "threshold_log": last.log_threshold if last else None,
        "events": events,
        "decisions": [decision_of(entry) for entry in decisions[: -DECISIONS - 1 : -1]],
    }
