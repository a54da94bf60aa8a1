"""A board in memory with real shapes of figures, and browsers that have no, a read and a write key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from coffey.core.errors import AliasMoved, TeacherUnavailable, UnknownVersion
from coffey.dashboard.live.access import Access
from coffey.dashboard.live.app import build_app
from coffey.dashboard.live.board import Said
from coffey.serve.keys import ApiKeys

READ, WRITE = "a key for those who look", "a key for those who write"


class MemorySource:
    """Figures that a test may replace; counts how often they are read."""

    def __init__(self, figures: Mapping[str, Any]) -> None:
        self.figures: Mapping[str, Any] | Exception = figures
        self.version = 0
        self.reads = 0

    def put(self, figures: Mapping[str, Any] | Exception) -> None:
        self.figures, self.version = figures, self.version + 1

    def token(self) -> int:
        return self.version

    def read(self) -> Mapping[str, Any]:
        self.reads += 1
        if isinstance(self.figures, Exception):
            raise self.figures
        return self.figures


class MemoryBoard:
    """A `Board` whose registry is three names."""

    name = "desk <b>"
    longest_text = 200

    def __init__(self) -> None:
        self.names = {"champion": "desk-2", "previous": "desk-1", "challenger": "desk-3"}
        self.moves: list[tuple[str, str]] = []
        self.prepared = 0
        pages = ("status", "money", "chain", "latency", "contract", "drift", "models")
        self.sources = {page: MemorySource({}) for page in pages}
        self.sources["models"].put(
            {
                "aliases": self.names,
                "approval": False,
                "versions": [{"name": f"desk-{n}", "digest": f"{n}" * 64, "lineage": {}} for n in (1, 2, 3)],
                "events": [],
            }
        )
        self.sources["status"].put({"champion": "desk-2", "decision": {"kind": "healthy", "time": ""}})

    def prepare(self) -> None:
        self.prepared += 1

    def student(self, text: str) -> Said:
        return Said(who="Student desk-2", labels=("<i>",), scores=(("<i>", 0.9),), microseconds=120.0)

    def teacher(self, text: str) -> Said:
        if text == "down":
            raise TeacherUnavailable("the teacher", "it sleeps")
        return Said(who="Teacher", labels=("other",), scores=(("other", 0.7),), note="asked just now")

    def aliases(self) -> Mapping[str, str]:
        return dict(self.names)

    def promote(self, name: str, *, instead_of: str | None, who: str, reason: str) -> None:
        if name not in self.names.values():
            raise UnknownVersion(name, list(self.names.values()))
        self._swap(name, instead_of, who)

    def rollback(self, *, instead_of: str, who: str, reason: str) -> None:
        self._swap(self.names["previous"], instead_of, who)

    def _swap(self, name: str, instead_of: str | None, who: str) -> None:
        if self.names["champion"] != instead_of:
            raise AliasMoved("champion", instead_of, self.names["champion"])
        self.names |= {"champion": name, "previous": self.names["champion"]}
        self.moves.append((name, who))


@pytest.fixture
def board() -> MemoryBoard:
    return MemoryBoard()


def keys(*known: str) -> ApiKeys:
    return ApiKeys(sha256(key.encode()).hexdigest() for key in known)


@pytest.fixture
def visit(board: MemoryBoard) -> Iterator[Callable[..., TestClient]]:
    """`visit(read=…, write=…, hosts=…)`: a browser at a dashboard with these keys."""
    opened: list[TestClient] = []

    def start(read: tuple[str, ...] = (), write: tuple[str, ...] = (), **more: Any) -> TestClient:
        app = build_app(board, Access(keys(*read), keys(*write)), **more)
        client = TestClient(app, base_url="http://localhost:8081", follow_redirects=False)
        opened.append(client.__enter__())
        return client

    yield start
    for client in opened:
        client.__exit__()


@pytest.fixture
def known() -> SimpleNamespace:
    return SimpleNamespace(read=READ, write=WRITE)
