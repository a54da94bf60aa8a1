"""Batching that takes what is queued and never waits for more.

A request that finds the server idle, with a model whose run is short, is computed at once in the event loop:
no thread, no queue. Where requests have come one at a time lately, it is computed as soon as it is read; else
it waits for what was sent with it. What is not alone is queued; one worker thread runs a batch while the next
one gathers.
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
from coffey.serve.limits import DeadlineExceeded, QueueTooSlow
from coffey.serve.model import Model

Probabilities = NDArray[np.float32]
INLINE_SECONDS = 0.002
"""Longest expected run that may hold the event loop: what a health check then waits at most."""
GROUP = 4
"""Texts run at once, sorted by length. More pad more and save nothing: on one core, questions of 5 to 25
tokens took a student of 2.4M parameters 22 % less CPU time in groups of 4 out of 32 than 32 at once, and a
server under 16 connections answered 8 to 17 % more with groups of 4 than of 8."""
SMOOTHING = 0.1
"""Weight of the latest run in the moving average of seconds a text."""


@dataclass(slots=True, eq=False)
class Found:
    """What was found for the texts of one request."""

    model: Model
    """The one model that answered all of them."""
    probabilities: Probabilities
    """float32 [texts, labels]"""
    tokenize_s: float
    run_s: float
    """Seconds of the batches that the texts were in."""


@dataclass(slots=True, eq=False)
class _Job:
    """One request: its texts, how many were taken, and the one model that answers all of them."""

    texts: Sequence[str]
    future: asyncio.Future[Found]
    deadline: float
    model: Model | None = None
    taken: int = 0
    parts: list[Probabilities] = field(default_factory=list)
    tokenize_s: float = 0.0
    run_s: float = 0.0


_Slice = tuple[_Job, Sequence[str]]


@dataclass(slots=True, eq=False)
class _Outcome:
    """One result a slice, and the seconds that they took together."""

    results: list[Probabilities | Exception]
    tokenize_s: float
    run_s: float


class Batcher:
    """Runs texts through the current model, in batches of at most `max_batch`."""

    def __init__(
        self,
        current: Callable[[], Model],
        *,
        max_batch: int = 32,
        max_queue: int = 1024,
        max_wait_s: float = 1.0,
        begun: Callable[[], int] = lambda: 1,
        inline_seconds: float = INLINE_SECONDS,
    ) -> None:
        """Start the worker thread.

        Args:
            current: the model that answers from now on; read once a batch, so a swap falls between batches.
            max_batch: texts of one run.
            max_queue: texts that may wait.
            max_wait_s: longest expected wait; a request that would wait longer is refused at once.
            begun: requests that were read and are not done with; only a single one is computed at once, since
                otherwise those that arrived together would each pay for a run of their own.
            inline_seconds: longest expected run that may hold the event loop; 0 always uses the thread.
        """
        self._current = current
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._max_wait_s = max_wait_s
        self.begun = begun
        """Requests that were read and are not done with, the one that asks included."""
        self._inline_seconds = inline_seconds
        self._came_alone = False
        self._jobs: deque[_Job] = deque()
        self._running = self._scheduled = False
        self._text_seconds = math.inf
        self._ends_at = 0.0
        self._work: SimpleQueue[tuple[asyncio.AbstractEventLoop, Model, list[_Slice]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.queued = 0
        """Texts that wait."""
        self.runs: Callable[[int, float], None] = lambda texts, seconds: None
        """Told of every run: its texts and seconds."""

    def expected_wait_s(self) -> float:
        """Seconds until what comes now would be run: the rest of the run in work, and what waits."""
        if not self._running and not self._jobs:
            return 0.0
        rest = max(0.0, self._ends_at - monotonic()) if self._running else 0.0
        known = 0.0 if self._text_seconds == math.inf else self._text_seconds
        return rest + self.queued * known

    def check_room(self, texts: int = 1, deadline: float = math.inf) -> None:
        """Refuse when `texts` more do not fit, or would wait too long. An idle batcher takes any request.

        Raises:
            Overloaded: with the seconds after which to try again.
        """
        if self.queued and self.queued + texts > self._max_queue:
            raise Overloaded(self.queued, self._max_queue, max(1.0, math.ceil(self.expected_wait_s())))
        wait = self.expected_wait_s()
        if wait > 0:
            allowed = min(self._max_wait_s, deadline - monotonic())
            if wait > allowed:
                raise QueueTooSlow(wait, max(0.0, allowed))

    def run_at_once(self, texts: Sequence[str], deadline: float = math.inf) -> Found | None:
        """As `run`, without waiting for anything; None where that cannot be, or where others may come."""
        if not self._came_alone or deadline < monotonic():
            return None
        self._came_alone = self._is_alone(texts)
        return self._run_alone(texts) if self._came_alone else None

    async def run(self, texts: Sequence[str], deadline: float = math.inf) -> Found:
        """Probabilities of `texts` by one model, begun before the `deadline` (of the monotonic clock).

        Raises:
            Overloaded: the queue is full, or would take too long.
            DeadlineExceeded: the time was over before the model ran, or before it ran for all texts.
            NotReady: there is no model.
        """
        if deadline < monotonic():
            raise DeadlineExceeded
        self._came_alone = self._is_alone(texts)
        if self._came_alone:
            return self._run_alone(texts)
        self.check_room(len(texts), deadline)
        loop = asyncio.get_running_loop()
        job = _Job(texts, loop.create_future(), deadline)
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

    def _is_alone(self, texts: Sequence[str]) -> bool:
        """Whether nothing else is in the server, and the run may hold the event loop."""
        idle = not self._jobs and not self._running and self.begun() <= 1
        return idle and self._is_short(len(texts))

    def _run_alone(self, texts: Sequence[str]) -> Found:
        model = self._current()
        probabilities, tokenize_s, run_s = _timed(model, texts)
        self._learn(len(texts), tokenize_s + run_s)
        return Found(model, probabilities, tokenize_s, run_s)

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
        count = sum(len(texts) for _, texts in batch)
        if self._is_short(count):
            self._finish(loop, model, batch, _compute(model, batch))
            return
        self._running = True
        self._ends_at = monotonic() + (0.0 if self._text_seconds == math.inf else count * self._text_seconds)
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="batch", daemon=True)
            self._thread.start()
        self._work.put((loop, model, batch))

    def _take(self) -> tuple[Model, list[_Slice]]:
        """Slices of the oldest jobs, all for one model. A job that is not done goes to the back."""
        self._drop_late()
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
            loop.call_soon_threadsafe(self._finish, loop, model, batch, _compute(model, batch))

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        model: Model,
        batch: list[_Slice],
        outcome: _Outcome,
    ) -> None:
        self._running = False
        self._learn(sum(len(texts) for _, texts in batch), outcome.tokenize_s + outcome.run_s)
        self._schedule(loop)
        for (job, _), result in zip(batch, outcome.results, strict=True):
            if job.future.done():
                continue
            if isinstance(result, Exception):
                self._drop(job)
                job.future.set_exception(result)
                continue
            job.parts.append(result)
            job.tokenize_s += outcome.tokenize_s
            job.run_s += outcome.run_s
            if job.taken == len(job.texts):
                whole = job.parts[0] if len(job.parts) == 1 else np.concatenate(job.parts)
                job.future.set_result(Found(model, whole, job.tokenize_s, job.run_s))

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

    def _drop_late(self) -> None:
        """Refuse those that wait in vain; the model does not run for them."""
        now = monotonic()
        if all(job.deadline >= now for job in self._jobs):
            return
        for job in [job for job in self._jobs if job.deadline < now]:
            self._jobs.remove(job)
            self.queued -= len(job.texts) - job.taken
            if not job.future.done():
                job.future.set_exception(DeadlineExceeded())


def _compute(model: Model, batch: list[_Slice]) -> _Outcome:
    """Run a batch. When it fails, each slice is run alone."""
    texts = [text for _, texts in batch for text in texts]
    start = monotonic()
    try:
        together, tokenize_s, run_s = _grouped(model, texts)
    except Exception as exc:  # noqa: BLE001 - the edge of the worker: it becomes the answer of the request
        alone: list[Probabilities | Exception]
        alone = [exc] if len(batch) == 1 else [_alone(model, texts) for _, texts in batch]
        return _Outcome(alone, 0.0, monotonic() - start)
    if len(batch) == 1:
        return _Outcome([together], tokenize_s, run_s)
    ends = np.cumsum([len(texts) for _, texts in batch])[:-1]
    return _Outcome(list(np.split(together, ends)), tokenize_s, run_s)


def _grouped(model: Model, texts: Sequence[str]) -> tuple[Probabilities, float, float]:
    """Probabilities in the order of `texts`, run in groups of similar length; seconds of both parts."""
    if len(texts) <= GROUP:
        return _timed(model, texts)
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    found = np.empty((len(texts), len(model.labels)), dtype=np.float32)
    tokenize_s = run_s = 0.0
    for start in range(0, len(order), GROUP):
        rows = order[start : start + GROUP]
        found[rows], tokenized, ran = _timed(model, [texts[index] for index in rows])
        tokenize_s += tokenized
        run_s += ran
    return found, tokenize_s, run_s


def _timed(model: Model, texts: Sequence[str]) -> tuple[Probabilities, float, float]:
    """Probabilities of `texts`, run at once; seconds of tokenizing and of running."""
    start = monotonic()
    encoded = model.encode(texts)
    tokenized = monotonic()
    probabilities = model.probabilities(encoded)
    return probabilities, tokenized - start, monotonic() - tokenized


def _alone(model: Model, texts: Sequence[str]) -> Probabilities | Exception:
    try:
        return _grouped(model, texts)[0]
    except Exception as exc:  # noqa: BLE001 - as above
        return exc
