"""The line that every page begins with: which student is in service, and whether its promise holds."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Tone
from coffey.dashboard.reading import flag, words

_TONES: dict[str, Tone] = {
    "healthy": "good",
    "promote": "good",
    "investigate": "warn",
    "rollback": "warn",
    "redistill": "bad",
}
_WORDS = {
    "healthy": "Healthy",
    "waiting": "Waiting",
    "investigate": "Investigate",
    "redistill": "Re-distilling",
    "promote": "Promoted",
    "keep": "Kept",
    "rollback": "Rolled back",
}


@dataclass(frozen=True, slots=True)
class Status:
    """A word, a sentence, and how bad it is."""

    word: str
    text: str
    tone: Tone = "plain"


def tone_of(kind: str) -> Tone:
    """How a decision looks."""
    return _TONES.get(kind, "plain")


def status_of(found: JsonObject) -> Status:
    """The status of what the registry and the journal say."""
    champion, waiting = words(found, "champion"), words(found, "waiting")
    if not champion:
        return Status(
            "No champion",
            f"{waiting} waits to be promoted." if waiting else "No student is in service yet.",
            "warn" if waiting else "plain",
        )
    kind, time = words(found, "decision", "kind"), words(found, "decision", "time")
    says = f"{champion} is in service"
    if kind:
        says += f"; looked at {figures.moment(time)}"
    if flag(found, "approval"):
        return Status("Approve", f"{waiting} won and waits for approval; {says}.", "warn")
    return Status(_WORDS.get(kind, "In service"), f"{says}.", tone_of(kind))
