"""What the control loop did and decided, in order: numbered files that are written once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coffey.core.clock import unix_now
from coffey.core.errors import EventDamaged
from coffey.core.eventlog import Event, EventLog
from coffey.core.records import Decision, JsonObject

DECISION = "decision"
"""The kind of entry that `record_decision` writes."""

FINISHED = "finished"
"""The kind of entry that ends a re-distillation."""

WAITING = "waiting for approval"
"""What a re-distillation came to whose challenger won and waits for `coffey promote`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One step or decision."""

    number: int
    kind: str
    key: str | None
    """Names the step, so that it is recorded once however often it is tried."""
    unix_s: float
    body: Mapping[str, Any]


class ControlJournal:
    """The loop's memory on a local folder. A step is done when its key is in the journal.

    A killed run is run again and skips what `find` knows. Writers race by creating number N + 1 only if
    nobody has; the loser reads on and, if its key is there by now, writes nothing.
    """

    def __init__(self, folder: Path, *, now: Callable[[], float] = unix_now) -> None:
        """Use `folder` (usually `control/events` of the store); `now` stamps entries."""
        self._log = EventLog(folder)
        self._now = now
        self._entries: list[Entry] = []
        self._by_key: dict[str, Entry] = {}
        self._lock = threading.RLock()

    def record(self, kind: str, body: JsonObject, *, key: str | None = None) -> Entry:
        """Append an entry; with a `key` that is known already, nothing is written and that entry returned."""
        content = {"kind": kind, "key": key, "unix_s": self._now(), "body": dict(body)}
        with self._lock:
            while True:
                self._refresh()
                if key is not None and key in self._by_key:
                    return self._by_key[key]
                number = len(self._entries) + 1
                if self._log.append(number, content):
                    self._refresh()
                    return self._entries[number - 1]

    def record_decision(self, decision: Decision, *, key: str | None = None) -> Entry:
        """Append a decision with its reason and numbers."""
        body = {**asdict(decision), "kind": decision.kind.value, "numbers": dict(decision.numbers)}
        return self.record(DECISION, body, key=key)

    def find(self, key: str) -> Entry | None:
        """The entry with this key, or None when the step has not been done."""
        with self._lock:
            self._refresh()
            return self._by_key.get(key)

    def entries(self, kind: str | None = None) -> Sequence[Entry]:
        """All entries (of one kind), oldest first."""
        with self._lock:
            self._refresh()
            return tuple(entry for entry in self._entries if kind in (None, entry.kind))

    def last(self, kind: str) -> Entry | None:
        """The latest entry of a kind, or None."""
        found = self.entries(kind)
        return found[-1] if found else None

    def _refresh(self) -> None:
        for event in self._log.read(len(self._entries)):
            entry = self._entry(event)
            self._entries.append(entry)
            if entry.key is not None:
                self._by_key.setdefault(entry.key, entry)

    def _entry(self, event: Event) -> Entry:
        body = event.body
        try:
            return Entry(event.number, body["kind"], body["key"], body["unix_s"], body["body"])
        except KeyError as exc:
            path = str(self._log.path(event.number))
            raise EventDamaged(path, f"it is no entry of a control journal ({exc} is missing)") from exc
