"""What the dashboard asks of a project. It computes nothing itself; `coffey.project.board` answers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

from coffey.core.records import JsonObject


class Source(Protocol):
    """What one page is drawn from. Called by one thread at a time."""

    def token(self) -> Hashable:
        """Changes when `read` would say something else; costs next to nothing, since it is asked often."""

    def read(self) -> JsonObject:
        """The page's figures as JSON values; may take seconds on a large store.

        Raises:
            CoffeyError: the store cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One text, answered by the student, or by the teacher."""

    who: str
    labels: tuple[str, ...]
    """The answer; several, or none, of a multi-label task."""
    scores: tuple[tuple[str, float], ...]
    """Label and probability, the most likely first; at most `MOST_SCORES`."""
    microseconds: float | None = None
    """Text to probabilities, in process; None where it was not timed alone."""
    note: str = ""


MOST_SCORES = 8


class Board(Protocol):
    """A project at a glance, and what may be done to it."""

    @property
    def name(self) -> str:
        """The project's."""

    @property
    def sources(self) -> Mapping[str, Source]:
        """By the names of the pages that show figures; `status`, which every page shows; `drift`."""

    @property
    def longest_text(self) -> int:
        """Characters of a text that the playground takes, as the server's limit."""

    def prepare(self) -> None:
        """Load the student, so that the first answer does not wait; what fails is said when it is asked."""

    def student(self, text: str) -> Said:
        """The champion's answer (the challenger's, where there is no champion).

        Raises:
            CoffeyError: there is no student, or it cannot be loaded.
        """

    def teacher(self, text: str) -> Said:
        """The teacher's answer, through the label store and within the budget.

        Raises:
            CoffeyError: it cannot be asked, or its budget is spent.
        """

    def aliases(self) -> Mapping[str, str]:
        """Where the registry's aliases point now."""

    def promote(self, name: str, *, instead_of: str | None, who: str, reason: str) -> None:
        """Make a version the champion, if `instead_of` still is.

        Raises:
            UnknownVersion: there is no such version.
            AliasMoved: another champion was made meanwhile.
        """

    def rollback(self, *, instead_of: str, who: str, reason: str) -> None:
        """Bring the previous champion back, if `instead_of` still is the champion.

        Raises:
            UnknownVersion: there is none.
            AliasMoved: another champion was made meanwhile.
        """
