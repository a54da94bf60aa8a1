"""A view is read in the background, kept while nothing changes, and never waited for long."""

from __future__ import annotations

import threading
import time

from coffey.core.errors import StoreUnavailable
from coffey.dashboard.live.views import FRESH_S, View, Views


class Slow:
    """A source that ends its reading when it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.reads = 0

    def token(self) -> int:
        return 0

    def read(self) -> dict[str, object]:
        self.reads += 1
        assert self.go.wait(10)
        return {"read": self.reads}


class Counting:
    """A source that changes, or fails, when it is told to."""

    def __init__(self) -> None:
        self.version = 1
        self.problem: Exception | None = None
        self.reads = 0

    def token(self) -> int:
        if self.problem:
            raise self.problem
        return self.version

    def read(self) -> dict[str, object]:
        self.reads += 1
        return {"version": self.version}


def test_what_takes_long_is_loading_first_and_there_later():
    """Nobody waits for a slow store, and two who look do not read it twice."""
    views, source = Views(patience_s=0.01), Slow()
    assert views.look(source) == View()
    assert views.look(source) == View()
    source.go.set()
    deadline = time.monotonic() + 10
    while views.look(source).figures is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert views.look(source).figures == {"read": 1}
    views.close()


def test_a_source_is_read_again_only_when_it_changed():
    """Looking is cheap: within a second nothing is asked, after it the token decides."""
    now = [0.0]
    views, source = Views(clock=lambda: now[0], patience_s=10), Counting()
    assert views.look(source).figures == {"version": 1}
    source.version = 2
    assert views.look(source).figures == {"version": 1}
    now[0] += FRESH_S
    assert views.look(source).figures == {"version": 2}
    now[0] += FRESH_S
    views.look(source)
    assert source.reads == 2
    views.close()


def test_a_problem_is_said_beside_what_was_read_before():
    """The figures of before stay; when the store is back, the problem goes."""
    now = [0.0]
    views, source = Views(clock=lambda: now[0], patience_s=10), Counting()
    views.look(source)
    source.problem = StoreUnavailable("/store", "it is away")
    now[0] += FRESH_S
    view = views.look(source)
    assert view.figures == {"version": 1}
    assert "it is away" in view.problem
    source.problem = None
    now[0] += FRESH_S
    assert views.look(source) == View({"version": 1})
    views.close()
