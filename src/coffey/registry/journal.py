"""A registry on a local folder: an append-only log of events, and aliases as a fold of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import EllipsisType
from typing import Any

from coffey.core.clock import unix_now
from coffey.core.errors import AliasMoved, EventDamaged, UnknownVersion, VersionTaken
from coffey.core.eventlog import EventLog
from coffey.core.records import JsonObject
from coffey.registry.fold import State, promotion, record
from coffey.registry.protocol import ALIASES, CHALLENGER, CHAMPION, PREVIOUS, Moves, RegistryEvent
from coffey.registry.version import Version, same_version, version_to_json


class JournalRegistry:
    """`Registry` without a server: any number of processes may read and write at once.

    Compare-and-swap: a writer folds all events, checks its expectations against the result, and creates event
    N + 1 only if nobody has. When it lost that race it folds the new events and checks again: it goes on if
    what it expected still holds and raises `AliasMoved` if not. Each lost race means that another writer won,
    so writers as a whole always advance. Threads may share one object.
    """

    def __init__(self, folder: Path, *, now: Callable[[], float] = unix_now) -> None:
        """Use `folder` (usually `registry/events` of the store); `now` stamps events."""
        self._log = EventLog(folder)
        self._now = now
        self._state = State()
        self._lock = threading.RLock()

    def add(self, version: Version, *, who: str, evidence: JsonObject | None = None) -> None:
        """See `Registry.add`."""
        body: dict[str, Any] = {"kind": "add", "version": version_to_json(version)}

        def wanted(state: State) -> bool:
            if version.name in ALIASES:
                raise VersionTaken(version.name, "that is the name of an alias")
            known = state.versions.get(version.name)
            if known is not None and not same_version(known, version):
                raise VersionTaken(version.name, "another version has this name, and versions never change")
            return known is None

        self._append(body, wanted, who=who, evidence=evidence or {})

    def versions(self) -> Sequence[Version]:
        """See `Registry.versions`."""
        return tuple(self._refreshed().versions.values())

    def resolve(self, name: str) -> Version:
        """See `Registry.resolve`."""
        return self._refreshed().resolve(name)

    def alias(self, name: str) -> str | None:
        """See `Registry.alias`."""
        return self._refreshed().aliases.get(name)

    def aliases(self) -> dict[str, str]:
        """See `Registry.aliases`."""
        return dict(self._refreshed().aliases)

    def move(
        self, moves: Moves, *, expected: Moves, evidence: JsonObject, who: str, kind: str = "move"
    ) -> None:
        """See `Registry.move`."""
        body: dict[str, Any] = {"kind": kind, "moves": dict(moves), "expected": dict(expected)}

        def wanted(state: State) -> bool:
            state.check(moves, expected)
            return True

        self._append(body, wanted, who=who, evidence=evidence)

    def promote(
        self, name: str, *, evidence: JsonObject, who: str, instead_of: str | EllipsisType | None = ...
    ) -> None:
        """See `Registry.promote`."""
        state = self._refreshed()
        name = state.resolve(name).name
        champion = state.aliases.get(CHAMPION)
        if instead_of is not ... and champion not in (instead_of, name):
            raise AliasMoved(CHAMPION, instead_of, champion)
        if champion == name:
            return
        expected = {alias: state.aliases.get(alias) for alias in (CHAMPION, CHALLENGER)}
        moves = promotion(state.aliases, name)
        self.move(moves, expected=expected, evidence=evidence, who=who, kind="promote")

    def rollback(self, *, who: str, reason: str) -> None:
        """See `Registry.rollback`."""
        aliases = self.aliases()
        previous = aliases.get(PREVIOUS)
        if previous is None:
            raise UnknownVersion(PREVIOUS, list(aliases))
        expected = {alias: aliases.get(alias) for alias in (CHAMPION, PREVIOUS)}
        moves = {CHAMPION: previous, PREVIOUS: aliases.get(CHAMPION)}
        self.move(moves, expected=expected, evidence={"reason": reason}, who=who, kind="rollback")

    def events(self) -> Sequence[RegistryEvent]:
        """See `Registry.events`."""
        return tuple(record(event) for event in self._log.read())

    def state_token(self) -> int:
        """See `Registry.state_token`: the highest event number, one file looked for when nothing is new."""
        return self._log.last(self._state.number)

    def _append(
        self, body: dict[str, Any], wanted: Callable[[State], bool], *, who: str, evidence: JsonObject
    ) -> None:
        stamped = {**body, "unix_s": self._now(), "who": who, "evidence": dict(evidence)}
        while True:
            state = self._refreshed()
            if not wanted(state) or self._log.append(state.number + 1, stamped):
                return

    def _refreshed(self) -> State:
        with self._lock:
            for event in self._log.read(self._state.number):
                try:
                    self._state = self._state.after(event)
                except (KeyError, TypeError, AttributeError) as exc:
                    path = str(self._log.path(event.number))
                    raise EventDamaged(path, f"it is no event of a registry ({exc!r})") from exc
            return self._state
