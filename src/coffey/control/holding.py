"""What holds a re-distillation back that the policy asks for: approval, patience, cooldown, too few texts."""

from __future__ import annotations

from coffey.control.evidence import Evidence
from coffey.control.journal import FINISHED, ControlJournal, Entry
from coffey.control.redistill import ABANDONED, OPENED
from coffey.core.records import Decision, DecisionKind
from coffey.core.settings import ControlSettings
from coffey.registry.protocol import CHALLENGER, Registry

LEAST_REQUESTS = 50
"""Distinct requests since the change that a re-distillation waits for: of fewer, under 20 are left to judge
by, on which no gain under 20 points can be shown."""


def held_back(
    seen: Evidence,
    *,
    journal: ControlJournal,
    registry: Registry,
    settings: ControlSettings,
    now_unix_s: float,
) -> Decision:
    """The policy's decision, or another one that says what a re-distillation waits for."""
    if seen.decision.kind is not DecisionKind.REDISTILL:
        return seen.decision
    reason = (
        _approval(registry, settings) or _patience(seen, journal) or _cooldown(journal, settings, now_unix_s)
    )
    if reason:
        return _instead(seen.decision, DecisionKind.KEEP, reason)
    distinct = len(seen.recent().texts)
    if distinct < LEAST_REQUESTS:
        reason = (
            f"That waits for {LEAST_REQUESTS} distinct requests since the change whose texts were kept "
            f"(there are {distinct})."
        )
        return _instead(seen.decision, DecisionKind.INVESTIGATE, reason)
    return seen.decision


def _instead(decision: Decision, kind: DecisionKind, reason: str) -> Decision:
    return Decision(kind, f"{decision.reason} {reason}", decision.numbers)


def _patience(seen: Evidence, journal: ControlJournal) -> str | None:
    """After a run that failed, lost or was rolled back, the next try waits for twice the audits."""
    audits = len(seen.audits)
    lost = [
        entry
        for entry in journal.entries(OPENED)
        if entry.body["champion"] == seen.champion.name and _came_to_nothing(journal, entry)
    ]
    if not lost or audits >= 2 * lost[-1].body["audits"]:
        return None
    tried = lost[-1].body["audits"]
    return (
        f"A challenger lost at {tried:,} audits; the next is trained at {2 * tried:,} (there are {audits:,})."
    )


def _approval(registry: Registry, settings: ControlSettings) -> str | None:
    """While somebody has to decide about a challenger, no other one is made."""
    waiting = registry.alias(CHALLENGER)
    if not settings.approve or waiting is None:
        return None
    return f"The challenger {waiting} waits for approval: `coffey promote` makes it the champion."


def _cooldown(journal: ControlJournal, settings: ControlSettings, now_unix_s: float) -> str | None:
    last = journal.last(FINISHED)
    if last is None:
        return None
    left_h = settings.cooldown_hours - (now_unix_s - last.unix_s) / 3600
    if left_h <= 0:
        return None
    return (
        f"The last re-distillation ended less than {settings.cooldown_hours:g} hours ago: {left_h:.1f} to go."
    )


def _came_to_nothing(journal: ControlJournal, opened: Entry) -> bool:
    """Whether a run for the champion left it in its place: even a promotion did, if it is champion again."""
    finished = journal.find(f"{opened.key}/{FINISHED}")
    return finished is not None and finished.body["kind"] != ABANDONED
