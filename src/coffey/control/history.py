"""Champion after champion: when each was in service, and what its audits said of its promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coffey.core.records import Audit
from coffey.core.settings import Settings
from coffey.monitor.agreement import AgreementReport, watch_agreement
from coffey.monitor.baseline import baseline_path, load_baseline
from coffey.monitor.slices import SliceReport, find_slices
from coffey.registry.protocol import CHAMPION, Registry
from coffey.registry.version import Version
from coffey.stats.confidence_bins import ConfidenceBins


@dataclass(frozen=True, slots=True)
class Reign:
    """One stretch of time in which one version was the champion."""

    version: Version
    since_unix_s: float
    until_unix_s: float | None
    """None while it lasts."""
    why: str
    """`promote`, `rollback` or `move`: the event of the registry that began it."""

    def audits(self, found: Sequence[Audit]) -> list[Audit]:
        """Those of its requests, by the teacher of its promise; another's say nothing of that."""
        teacher = self.version.lineage.get("teacher")
        return [
            audit
            for audit in found
            if audit.model == self.version.digest
            and audit.unix_s >= self.since_unix_s
            and (self.until_unix_s is None or audit.unix_s < self.until_unix_s)
            and teacher in (None, audit.teacher)
        ]


def reigns(registry: Registry) -> list[Reign]:
    """Every stretch, oldest first. A champion that is promoted again begins a new one."""
    found: list[Reign] = []
    moved = [event for event in registry.events() if CHAMPION in event.moves]
    for place, event in enumerate(moved):
        name = event.moves[CHAMPION]
        until = moved[place + 1].unix_s if place + 1 < len(moved) else None
        if name is not None:
            found.append(Reign(registry.resolve(name), event.unix_s, until, event.kind))
    return found


def judged(
    reign: Reign, audits: Sequence[Audit], settings: Settings, *, bins: ConfidenceBins | None
) -> AgreementReport | None:
    """What its audits say about its contract; None without a contract or an audit.

    `bins` are those of its artifact, by which its audits were aimed; None where there are none.
    """
    contract = reign.version.contract
    if contract is None or not audits:
        return None
    length = average_run_length(settings)
    return watch_agreement(audits, contract, average_run_length=length, bins=bins)


def fallen_slices(
    audits: Sequence[Audit], agreement: AgreementReport | None, *, store: Path, champion: Version
) -> SliceReport | None:
    """Where agreement fell, against what the champion's promise was measured on; None without a report."""
    if agreement is None:
        return None
    return find_slices(
        audits,
        promised=agreement.promised.value,
        baseline=load_baseline(baseline_path(store, champion.digest)),
        change=agreement.change.index if agreement.alarm and agreement.change else None,
    )


def average_run_length(settings: Settings) -> float:
    """Audits between false alarms, at least: audits a day times the days that are promised."""
    return settings.monitor.audits_per_day * settings.monitor.false_alarm_every_days
