"""What a registry does, in words. Backends are chosen by the wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Protocol

from coffey.core.records import JsonObject
from coffey.registry.version import Version

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)

Moves = Mapping[str, str | None]
"""Alias to version name; None takes the alias away."""


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """One entry of the log: what changed, when, who or what did it, and on which evidence."""

    number: int
    kind: str
    """`add`, or the name of a move: `move`, `promote`, `rollback`."""
    unix_s: float
    who: str
    version: str | None
    """Name of the added version."""
    moves: Moves
    evidence: JsonObject


class Registry(Protocol):
    """Immutable versions and three aliases.

    Duties: a version is never changed or removed; several aliases move in one event or not at all; a move
    happens only if the aliases still are what the caller expected; every event says who and on which
    evidence; all processes see the same order of events.
    """

    def add(self, version: Version, *, who: str, evidence: JsonObject | None = None) -> None:
        """Register a version. The same version again is no change; another under its name is refused.

        Raises:
            VersionTaken: the name belongs to another version, or is an alias.
        """

    def versions(self) -> Sequence[Version]:
        """All versions in the order in which they were added."""

    def resolve(self, name: str) -> Version:
        """The version with this name or digest, or to which this alias points.

        Raises:
            UnknownVersion: there is none.
        """

    def alias(self, name: str) -> str | None:
        """The version name that an alias points to, or None."""

    def aliases(self) -> dict[str, str]:
        """All aliases that point somewhere."""

    def move(
        self, moves: Moves, *, expected: Moves, evidence: JsonObject, who: str, kind: str = "move"
    ) -> None:
        """Move aliases together, if those in `expected` (None: points nowhere) still are as stated.

        Raises:
            AliasMoved: an alias is not as expected.
            UnknownVersion: a target is not registered, or an alias is none of `ALIASES`.
        """

    def promote(
        self, name: str, *, evidence: JsonObject, who: str, instead_of: str | EllipsisType | None = ...
    ) -> None:
        """Make `name` champion; the champion becomes `previous`; `name` is no longer challenger.

        `instead_of` is the champion that `name` was judged against (None: there was none). Without it,
        whoever is champion now is replaced. Promoting the champion is no change.

        Raises:
            UnknownVersion: `name` is not registered.
            AliasMoved: the champion is not `instead_of`, or changed meanwhile.
        """

    def rollback(self, *, who: str, reason: str) -> None:
        """Swap champion and previous.

        Raises:
            UnknownVersion: there is no previous champion.
            AliasMoved: another process moved them meanwhile.
        """

    def events(self) -> Sequence[RegistryEvent]:
        """The whole log, oldest first."""

    def state_token(self) -> int:
        """A number that grows with every change; costs next to nothing, so that a server can poll it."""
