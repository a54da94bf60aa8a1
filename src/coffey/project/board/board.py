"""The project as the dashboard's `Board`."""

from __future__ import annotations

from collections.abc import Mapping

from coffey.control.journal import ControlJournal
from coffey.core.errors import AliasMoved
from coffey.dashboard.live.board import Said, Source
from coffey.project.board.contract import ContractSource
from coffey.project.board.drift import DriftSource
from coffey.project.board.models import ModelsSource, StatusSource
from coffey.project.board.money import MoneySource
from coffey.project.board.playground import Playground
from coffey.project.board.results import ChainSource, LatencySource
from coffey.project.workspace import Workspace
from coffey.registry.protocol import CHAMPION


class ProjectBoard:
    """`Board` over a project's store."""

    def __init__(self, space: Workspace) -> None:
        """Read nothing yet.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        journal = ControlJournal(space.store / "control" / "events")
        self._space = space
        self._playground = Playground(space)
        self._sources: Mapping[str, Source] = {
            "status": StatusSource(space, journal),
            "money": MoneySource(space),
            "chain": ChainSource(space),
            "latency": LatencySource(space),
            "contract": ContractSource(space, journal),
            "drift": DriftSource(space, journal),
            "models": ModelsSource(space, journal),
        }

    @property
    def name(self) -> str:
        """See `Board.name`."""
        return self._space.settings.project.name

    @property
    def sources(self) -> Mapping[str, Source]:
        """See `Board.sources`."""
        return self._sources

    @property
    def longest_text(self) -> int:
        """See `Board.longest_text`."""
        return self._space.settings.serve.max_text_chars

    def prepare(self) -> None:
        """See `Board.prepare`."""
        self._playground.prepare()

    def student(self, text: str) -> Said:
        """See `Board.student`."""
        return self._playground.student(text)

    def teacher(self, text: str) -> Said:
        """See `Board.teacher`."""
        return self._playground.teacher(text)

    def aliases(self) -> Mapping[str, str]:
        """See `Board.aliases`."""
        return self._space.registry.aliases()

    def promote(self, name: str, *, instead_of: str | None, who: str, reason: str) -> None:
        """See `Board.promote`."""
        evidence = {"reason": reason} if reason else {}
        self._space.registry.promote(name, evidence=evidence, who=who, instead_of=instead_of)

    def rollback(self, *, instead_of: str, who: str, reason: str) -> None:
        """See `Board.rollback`."""
        champion = self._space.registry.alias(CHAMPION)
        if champion != instead_of:
            raise AliasMoved(CHAMPION, instead_of, champion)
        self._space.registry.rollback(who=who, reason=reason)
