"""Views: what a page shows, read in the background and kept until its source says something else."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from coffey.core.clock import Clock, monotonic
from coffey.core.errors import CoffeyError
from coffey.core.records import JsonObject
from coffey.dashboard.live.board import Source

PATIENCE_S = 0.25
"""How long a request waits for a view: what takes longer is shown as loading, and comes with a later look."""

FRESH_S = 1.0
"""For so long a source is not asked again, however many browsers look."""


@dataclass(frozen=True, slots=True)
class View:
    """What was read last, and what went wrong when it was tried again."""

    figures: JsonObject | None = None
    """None: nothing was read yet."""
    problem: str = ""


class Views:
    """The views of all sources; requests never wait long for one, and a source is read once at a time."""

    def __init__(self, *, clock: Clock = monotonic, patience_s: float = PATIENCE_S) -> None:
        """Read nothing yet."""
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="view")
        self._clock = clock
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._kept: dict[Source, View] = {}
        self._tokens: dict[Source, Hashable] = {}
        self._asked_s: dict[Source, float] = {}
        self._under_way: dict[Source, Future[None]] = {}

    def look(self, source: Source) -> View:
        """The newest view that can be had now."""
        with self._lock:
            job = self._under_way.get(source)
            if job is None and self._is_old(source):
                job = self._pool.submit(self._refresh, source)
                self._under_way[source] = job
        if job is not None:
            wait([job], timeout=self._patience_s)
        with self._lock:
            return self._kept.get(source, View())

    def close(self) -> None:
        """Begin no reading any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_old(self, source: Source) -> bool:
        asked = self._asked_s.get(source)
        return asked is None or self._clock() - asked >= FRESH_S

    def _refresh(self, source: Source) -> None:
        view = self._kept.get(source, View())
        token: Hashable = None
        try:
            token = source.token()
            if view.figures is None or view.problem or token != self._tokens.get(source):
                view = View(source.read())
        except CoffeyError as exc:
            view = replace(view, problem=str(exc))
        except Exception as exc:  # noqa: BLE001 - a thread's edge: the page says it, and later ones try again
            view = replace(view, problem=f"Unexpected {type(exc).__name__}: {exc}")
        with self._lock:
            self._kept[source], self._tokens[source] = view, token
            self._asked_s[source] = self._clock()
            self._under_way.pop(source, None)
