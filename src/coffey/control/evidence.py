"""What is known of the champion at one moment, read from the store without holding the traffic."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from coffey.artifact.predictor import Predictor
from coffey.artifact.read import read_manifest
from coffey.artifact.signing import Trust
from coffey.control.audits import AuditLog
from coffey.control.fresh import Recent
from coffey.control.history import average_run_length, fallen_slices
from coffey.control.policy import decide
from coffey.core.records import Audit, Decision
from coffey.core.settings import Settings
from coffey.monitor.agreement import AgreementReport, watch_agreement
from coffey.monitor.drift import DriftReport, measure_drift
from coffey.monitor.sample import ROWS, load_sample, reference_path, sample_requests
from coffey.monitor.slices import SliceReport
from coffey.registry.protocol import CHAMPION, Registry
from coffey.registry.version import Version
from coffey.traffic.redaction import is_redacted
from coffey.traffic.selection import Selection, select

_SPARE = 4
"""Distinct texts kept for each one that a re-distillation labels: some stand in the old holdout."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What audits and traffic say about a champion since its promotion."""

    champion: Version
    since_unix_s: float
    requests: int
    """Served since then."""
    audits: list[Audit]
    unlabelled: int
    """Requests chosen for audit since then that the teacher could not label; in no estimate."""
    agreement: AgreementReport | None
    drift: DriftReport | None
    slices: SliceReport | None
    """Where agreement fell; None without a contract or an audit."""
    decision: Decision
    """By the policy alone, before anything holds it back."""
    recent: Callable[[], Recent]
    """Since the change, after an alarm; before one, the latest. Read when it is first asked for: after an
    alarm that takes a look at every text since the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Where evidence lies, and by which settings it is judged."""

    settings: Settings
    store: Path
    registry: Registry
    audits: AuditLog
    trust: Trust

    def served(self, champion: Version) -> Selection:
        """What it served since it was promoted last."""
        return select(self.store, model=champion.digest, since=champion_since(self.registry, champion))

    def look(self, champion: Version, served: Selection) -> Evidence:
        """The evidence now, `served` being what `served` found; the teacher is not asked."""
        since = champion_since(self.registry, champion)
        audits = self._audits(champion, since)
        agreement = self._agreement(champion, audits)
        seen, recent = self._since_change(served, audits, agreement)
        drift = self._drift(champion, seen)
        slices = fallen_slices(audits, agreement, store=self.store, champion=champion)
        decision = decide(
            agreement,
            drift,
            champion.contract,
            audits_per_day=self.settings.monitor.audits_per_day,
            slices=slices,
        )
        return Evidence(
            champion=champion,
            since_unix_s=since,
            requests=served.requests,
            audits=audits,
            unlabelled=self._unlabelled(champion, since),
            agreement=agreement,
            drift=drift,
            slices=slices,
            decision=decision,
            recent=recent,
        )

    def _unlabelled(self, champion: Version, since: float) -> int:
        teacher = champion.lineage.get("teacher")
        return sum(
            one.model == champion.digest and one.unix_s >= since and teacher in (None, one.teacher)
            for one in self.audits.unlabelled()
        )

    def _audits(self, champion: Version, since: float) -> list[Audit]:
        """The champion's audits by the teacher of its promise; another's say nothing of that."""
        teacher = champion.lineage.get("teacher")
        return [
            audit
            for audit in self.audits.of(champion.digest)
            if audit.unix_s >= since and teacher in (None, audit.teacher)
        ]

    def _agreement(self, champion: Version, audits: list[Audit]) -> AgreementReport | None:
        if champion.contract is None or not audits:
            return None
        return watch_agreement(
            audits,
            champion.contract,
            average_run_length=average_run_length(self.settings),
            bins=read_manifest(self.store / champion.artifact, trust=self.trust).bins,
        )

    def _since_change(
        self, served: Selection, audits: list[Audit], agreement: AgreementReport | None
    ) -> tuple[list[str], Callable[[], Recent]]:
        """Texts of requests to measure drift by, and what a re-distillation may learn from."""
        if agreement is None or agreement.change is None or not agreement.alarm:
            latest = served.latest(ROWS)
            return latest, lambda: Recent(Counter(latest), _legible(audits[-ROWS:]))
        start = agreement.change.unix_s
        changed = select(self.store, model=audits[0].model, since=start)

        @functools.cache
        def recent() -> Recent:
            size = max(ROWS, _SPARE * self.settings.monitor.relabel)
            texts = changed.distinct(size, seed=self.settings.chain.seed)
            return Recent(texts, _legible(one for one in audits if one.unix_s >= start))

        return changed.spread(ROWS), recent

    def _drift(self, champion: Version, texts: list[str]) -> DriftReport | None:
        reference = load_sample(reference_path(self.store, champion.digest))
        if reference is None or not texts:
            return None
        predictor = Predictor.load(self.store / champion.artifact, trust=self.trust)
        return measure_drift(reference, sample_requests(predictor, texts))


def _legible(audits: Iterable[Audit]) -> list[Audit]:
    return [audit for audit in audits if not is_redacted(audit.text)]


def champion_since(registry: Registry, champion: Version) -> float:
    """When a version became champion last, in seconds since 1970."""
    moved = [event.unix_s for event in registry.events() if event.moves.get(CHAMPION) == champion.name]
    return moved[-1] if moved else 0.0
