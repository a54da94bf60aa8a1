"""The state of a registry: a fold of its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coffey.core.errors import AliasMoved, UnknownVersion
from coffey.core.eventlog import Event
from coffey.registry.protocol import ALIASES, CHALLENGER, CHAMPION, PREVIOUS, Moves, RegistryEvent
from coffey.registry.version import Version, version_from_json


@dataclass(frozen=True, slots=True)
class State:
    """Versions and aliases after event `number`."""

    number: int = 0
    versions: Mapping[str, Version] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def after(self, event: Event) -> State:
        """The state after the next event.

        Raises:
            KeyError, TypeError, AttributeError: it is no event of a registry.
        """
        body = event.body
        versions = dict(self.versions)
        if body["kind"] == "add":
            version = version_from_json(body["version"])
            versions.setdefault(version.name, version)
        aliases = {**self.aliases, **body.get("moves", {})}
        kept = {alias: name for alias, name in aliases.items() if name is not None}
        return State(event.number, versions, kept)

    def resolve(self, name: str) -> Version:
        """The version with this name, alias or digest.

        Raises:
            UnknownVersion: there is none.
        """
        found = self.versions.get(self.aliases.get(name, name))
        if found is None:
            found = next((version for version in self.versions.values() if version.digest == name), None)
        if found is None:
            raise UnknownVersion(name, [*self.aliases, *self.versions])
        return found

    def check(self, moves: Moves, expected: Moves) -> None:
        """Refuse moves that may not follow this state.

        Raises:
            AliasMoved: an alias is not as expected.
            UnknownVersion: a target is not registered, or an alias is none of `ALIASES`.
        """
        for alias, name in expected.items():
            if self.aliases.get(alias) != name:
                raise AliasMoved(alias, name, self.aliases.get(alias))
        for alias, target in moves.items():
            if alias not in ALIASES:
                raise UnknownVersion(alias, ALIASES)
            if target is not None and target not in self.versions:
                raise UnknownVersion(target, list(self.versions))


def promotion(aliases: Mapping[str, str], name: str) -> dict[str, str | None]:
    """The moves that make `name` champion: the champion becomes previous, a challenger `name` none."""
    moves: dict[str, str | None] = {CHAMPION: name, PREVIOUS: aliases.get(CHAMPION)}
    if aliases.get(CHALLENGER) == name:
        moves[CHALLENGER] = None
    return moves


def record(event: Event) -> RegistryEvent:
    """The event as readers see it."""
    body: dict[str, Any] = event.body
    return RegistryEvent(
        number=event.number,
        kind=body["kind"],
        unix_s=body["unix_s"],
        who=body["who"],
        version=body["version"]["name"] if body["kind"] == "add" else None,
        moves=body.get("moves", {}),
        evidence=body["evidence"],
    )
