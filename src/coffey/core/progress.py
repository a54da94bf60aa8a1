"""Progress of long work, told to whoever draws it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far a long job is. Calls are cheap and may come from one thread only."""

    def start(self, task: str, total: float | None, unit: str) -> None:
        """A job named `task` begins; `total` units of work, or None when that is unknown."""

    def advance(self, task: str, amount: float = 1, note: str = "") -> None:
        """`amount` more units are done; `note` is a short current figure such as `loss 0.31`."""

    def finish(self, task: str, note: str = "") -> None:
        """The job is done."""

    def say(self, line: str) -> None:
        """One line worth reading that is not a job."""


class Silent:
    """Progress that nobody watches."""

    def start(self, task: str, total: float | None, unit: str) -> None:
        """Ignore it."""

    def advance(self, task: str, amount: float = 1, note: str = "") -> None:
        """Ignore it."""

    def finish(self, task: str, note: str = "") -> None:
        """Ignore it."""

    def say(self, line: str) -> None:
        """Ignore it."""
