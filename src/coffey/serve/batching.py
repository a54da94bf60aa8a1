"""Batching that takes what is queued and never waits for more.

A request that finds the server idle, with a model whose run is short, is computed at once in the event loop:
no thread, no queue. Otherwise it is queued; one worker thread runs a batch while the next one gathers.
All methods are called from the event loop's thread.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from coffey.core.clock import monotonic
from coffey.core.errors import Overloaded
from coffey.serve.model import Model

Probabilities = NDArray[np.float32]
INLINE_SECONDS = 0.002
"""Longest expected run that may hold the event loop: what a health check then waits at most."""
SMOOTHING = 0.1
"""Weight of the latest run in the moving average of seconds a text."""


@dataclass(slots=True, eq=False)
class _Job:
    """One request: its texts, how many were taken, and the one model that answers all of them."""

    texts: Sequence[str]
    future: asyncio.Future[tuple[Model, Probabilities]]
    model: Model | None = None
    taken: int = 0
    parts: list[Probabilities] = field(default_factory=list)


_Slice = tuple[_Job, Sequence[str]]
_Outcome = list[Probabilities | Exception]


class Batcher:
    """Runs texts through the current model, in batches of at most `max_batch`."""

    def __init__(
        self,
        current: Callable[[], Model],
        *,
        max_batch: int = 32,
        max_queue: int = 1024,
        alone: Callable[[], bool] = lambda: True,
        inline_seconds: float = INLINE_SECONDS,
    ) -> None:
        """Start the worker thread.

        Args:
            current: the model that answers from now on; read once a batch, so a swap falls between batches.
            max_batch: texts of one run.
            max_queue: texts that may wait.
            alone: whether no other request is in the server; only then a request is computed at once, since
                otherwise those that arrived together would each pay for a run of their own.
            inline_seconds: longest expected run that may hold the event loop; 0 always uses the thread.
        """
        self._current = current
        self._max_batch = max_batch
        self._max_queue = max_queue
        self.alone = alone
        """Whether no other request is in the server."""
        self._inline_seconds = inline_seconds
        self._jobs: deque[_Job] = deque()
        self._running = self._scheduled = False
        self._text_seconds = math.inf
        self._work: SimpleQueue[tuple[asyncio.AbstractEventLoop, Model, list[_Slice]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.queued = 0
        """Texts that wait."""
        self.runs: Callable[[int, float], None] = lambda texts, seconds: None
        """Told of every run: its texts and seconds."""

    def check_room(self, texts: int = 1) -> None:
        """Refuse when `texts` more do not fit. An empty queue takes a request of any size.

        Raises:
            Overloaded: with the seconds after which to try again.
        """
        if self.queued and self.queued + texts > self._max_queue:
            raise Overloaded(self.queued, self._max_queue, self._retry_after())

    async def run(self, texts: Sequence[str]) -> tuple[Model, Probabilities]:
        """Probabilities of `texts`, float32 [n, labels], and the model that gave all of them.

        Raises:
            Overloaded: the queue is full.
            NotReady: there is no model.
        """
        if not self._jobs and not self._running and self._is_short(len(texts)) and self.alone():
            model = self._current()
            start = monotonic()
            probabilities = model.predict(texts)
            self._learn(len(texts), monotonic() - start)
            return model, probabilities
        self.check_room(len(texts))
        loop = asyncio.get_running_loop()
        job = _Job(texts, loop.create_future())
        self._jobs.append(job)
        self.queued += len(texts)
        self._schedule(loop)
        return await job.future

    def close(self) -> None:
        """Stop the worker after what it is doing."""
        if self._thread is not None:
            self._work.put(None)
            self._thread.join()
            self._thread = None

    def _is_short(self, texts: int) -> bool:
        return texts <= self._max_batch and self._text_seconds * texts <= self._inline_seconds

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._scheduled and not self._running and self._jobs:
            self._scheduled = True
            loop.call_soon(self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin one batch with what is queued now."""
        self._scheduled = False
        try:
            model, batch = self._take()
        except Exception as exc:  # noqa: BLE001 - whatever keeps a batch from starting is its requests' answer
            self._fail_all(exc)
            return
        if not batch:
            return
        if self._is_short(sum(len(texts) for _, texts in batch)):
            self._finish(loop, model, batch, *_compute(model, batch))
            return
        self._running = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="batch", daemon=True)
            self._thread.start()
        self._work.put((loop, model, batch))

    def _take(self) -> tuple[Model, list[_Slice]]:
        """Slices of the oldest jobs, all for one model. A job that is not done goes to the back."""
        batch: list[_Slice] = []
        room, model, rest = self._max_batch, self._current(), []
        if self._jobs and self._jobs[0].model is not None:
            model = self._jobs[0].model
        while self._jobs and room:
            job = self._jobs[0]
            if (job.model or model) is not model:
                break
            self._jobs.popleft()
            job.model = model
            texts = job.texts[job.taken : job.taken + room]
            job.taken += len(texts)
            room -= len(texts)
            self.queued -= len(texts)
            batch.append((job, texts))
            if job.taken < len(job.texts):
                rest.append(job)
        self._jobs.extend(rest)
        return model, batch

    def _serve(self) -> None:
        """The worker thread."""
        while (work := self._work.get()) is not None:
            loop, model, batch = work
            outcome, seconds = _compute(model, batch)
            loop.call_soon_threadsafe(self._finish, loop, model, batch, outcome, seconds)

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        model: Model,
        batch: list[_Slice],
        outcome: _Outcome,
        seconds: float,
    ) -> None:
        self._running = False
        self._learn(sum(len(texts) for _, texts in batch), seconds)
        self._schedule(loop)
        for (job, _), result in zip(batch, outcome, strict=True):
            if job.future.done():
                continue
            if isinstance(result, Exception):
                self._drop(job)
                job.future.set_exception(result)
                continue
            job.parts.append(result)
            if job.taken == len(job.texts):
                whole = job.parts[0] if len(job.parts) == 1 else np.concatenate(job.parts)
                job.future.set_result((model, whole))

    def _learn(self, texts: int, seconds: float) -> None:
        latest = seconds / texts
        known = self._text_seconds
        self._text_seconds = latest if known == math.inf else known + SMOOTHING * (latest - known)
        self.runs(texts, seconds)

    def _drop(self, job: _Job) -> None:
        """Forget what is left of a job that failed."""
        if job.taken < len(job.texts):
            self._jobs.remove(job)
            self.queued -= len(job.texts) - job.taken

    def _fail_all(self, exc: Exception) -> None:
        while self._jobs:
            job = self._jobs.popleft()
            if not job.future.done():
                job.future.set_exception(exc)
        self.queued = 0

    def _retry_after(self) -> float:
        expected = 0.0 if self._text_seconds == math.inf else self.queued * self._text_seconds
        return max(1.0, math.ceil(expected))


def _compute(model: Model, batch: list[_Slice]) -> tuple[_Outcome, float]:
    """One result a slice, and the seconds of the run. When a batch fails, each slice is run alone."""
    start = monotonic()
    try:
        together = model.predict([text for _, texts in batch for text in texts])
    except Exception as exc:  # noqa: BLE001 - the edge of the worker: it becomes the answer of the request
        alone: _Outcome = [exc] if len(batch) == 1 else [_alone(model, texts) for _, texts in batch]
        return alone, monotonic() - start
    ends = np.cumsum([len(texts) for _, texts in batch])[:-1]
    return list(np.split(together, ends)), monotonic() - start


def _alone(model: Model, texts: Sequence[str]) -> Probabilities | Exception:
    try:
        return model.predict(texts)
    except Exception as exc:  # noqa: BLE001 - as above
        return exc
