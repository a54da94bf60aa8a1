"""Telling people what was decided: each channel once, read off the journal, so that kills lose nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from coffey.control.journal import DECISION, FINISHED, ControlJournal, Entry
from coffey.control.redistill import FAILED
from coffey.core.clock import stamp
from coffey.core.errors import CoffeyError
from coffey.core.ids import canonical_json, digest_json
from coffey.core.progress import Progress
from coffey.core.records import JsonObject

ALERTED = "alerted"
"""The kind of entry that says who was told of what."""

MAX_AGE_S = 86_400.0
"""Older news is told to nobody: to a channel that was added today, or that was down for a day."""


class NotDelivered(CoffeyError):
    """A channel did not take an alert."""

    def __init__(self, channel: str, reason: str) -> None:
        super().__init__(f"The alert was not delivered by {channel}: {reason}. The next tick tries again.")


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that somebody should know."""

    id: str
    """The same however often it is sent: receivers drop what they have seen."""
    number: int
    """Of the journal's entry."""
    project: str
    kind: str
    """The decision, or `failed`."""
    reason: str
    numbers: JsonObject
    time: str

    def body(self) -> bytes:
        """As JSON."""
        return canonical_json({"type": "coffey.decision", **asdict(self), "numbers": dict(self.numbers)})


class Channel(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """Names the channel in the journal."""

    def send(self, alert: Alert) -> None:
        """Deliver it, or raise NotDelivered. An alert may come again with the same id, after a kill."""


def news(entries: Sequence[Entry], on: Sequence[str], project: str) -> Iterator[Alert]:
    """What the journal says that is worth an alert.

    A look that decides what the look before it decided is no news. Each judged challenger and each failed
    re-distillation is.
    """
    looked: str | None = None
    for entry in entries:
        if entry.kind == FINISHED and entry.body["kind"] == FAILED:
            found = FAILED
        elif entry.kind == DECISION:
            found, judged = str(entry.body["kind"]), str(entry.key).endswith("/judged")
            if not judged:
                looked, before = found, looked
                if found == before:
                    continue
        else:
            continue
        if found in on:
            yield _alert(entry, found, project)


def announce(
    journal: ControlJournal,
    channels: Sequence[Channel],
    *,
    on: Sequence[str],
    project: str,
    now_unix_s: float,
    progress: Progress,
) -> int:
    """Send what is new to each channel that was not told yet; how many were sent.

    A kill between sending and the journal sends an alert again, with the id that it had. What fails is said
    and left to the next tick.
    """
    entries = journal.entries()
    fresh = {entry.number for entry in entries if now_unix_s - entry.unix_s <= MAX_AGE_S}
    sent = 0
    for alert in news(entries, on, project):
        for channel in channels:
            key = f"alert/{alert.number}/{channel.name}"
            if alert.number not in fresh or journal.find(key) is not None:
                continue
            try:
                channel.send(alert)
            except NotDelivered as exc:
                progress.say(str(exc))
                continue
            journal.record(ALERTED, {"alert": alert.id, "channel": channel.name}, key=key)
            sent += 1
    return sent


def _alert(entry: Entry, kind: str, project: str) -> Alert:
    numbers: dict[str, Any] = dict(entry.body.get("numbers") or {})
    return Alert(
        id=digest_json([project, entry.number, entry.unix_s])[:32],
        number=entry.number,
        project=project,
        kind=kind,
        reason=str(entry.body["reason"]),
        numbers=numbers,
        time=stamp(entry.unix_s),
    )
