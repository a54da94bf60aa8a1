"""Progress on stderr. Every figure is written by `dashboard.figures`."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from coffey.core.clock import Clock, monotonic
from coffey.dashboard import figures

QUIET_SECONDS = 10.0
"""Least time between two lines about one job where there is no terminal."""


@dataclass(slots=True)
class _Job:
    """One job under way."""

    total: float | None
    unit: str
    started_s: float
    spoken_s: float
    done: float = 0.0
    note: str = ""
    bar: TaskID | None = None


class RichProgress:
    """`coffey.core.progress.Progress` on stderr: bars on a terminal, an occasional line elsewhere.

    Use it as a context manager, so that the terminal is left as it was however the command ends. Any
    thread may call it.
    """

    def __init__(self, console: Console | None = None, *, clock: Clock = monotonic) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[str, _Job] = {}
        self._bars = _bars(self._console) if self._console.is_terminal else None

    def __enter__(self) -> RichProgress:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._jobs.clear()
            if self._bars:
                self._bars.stop()

    def start(self, task: str, total: float | None, unit: str) -> None:
        """Begin (or begin again) the job `task`."""
        with self._lock:
            self._drop(task)
            now = self._clock()
            job = self._jobs[task] = _Job(total, unit, now, now)
            if self._bars:
                job.bar = self._bars.add_task(task, total=total, unit=unit, note="")

    def advance(self, task: str, amount: float = 1, note: str = "") -> None:
        """Count `amount` more units; an unknown task is begun without a total."""
        with self._lock:
            if task not in self._jobs:
                self.start(task, None, "")
            job = self._jobs[task]
            job.done += amount
            job.note = note or job.note
            self._show(task, job)

    def finish(self, task: str, note: str = "") -> None:
        """Say once how the job went."""
        with self._lock:
            job = self._jobs.get(task)
            if job is None:
                return
            job.note = note or job.note
            self._drop(task)
            self.say(finished_line(task, job.done, job.unit, self._clock() - job.started_s, job.note))

    def say(self, line: str) -> None:
        """Print one line, above the bars where there are any."""
        with self._lock:
            self._console.print(Text(line), soft_wrap=True)

    def _show(self, task: str, job: _Job) -> None:
        now = self._clock()
        if self._bars and job.bar is not None:
            self._bars.update(job.bar, completed=job.done, note=job.note)
        elif now - job.spoken_s >= QUIET_SECONDS:
            job.spoken_s = now
            self.say(progress_line(task, job.done, job.total, job.unit, now - job.started_s, job.note))

    def _drop(self, task: str) -> None:
        job = self._jobs.pop(task, None)
        if job is not None and self._bars and job.bar is not None:
            self._bars.remove_task(job.bar)


def is_watched() -> bool:
    """Whether somebody sees stderr: it is a terminal, or a notebook shows it."""
    console = Console(stderr=True)
    return console.is_terminal or console.is_jupyter


def progress_line(task: str, done: float, total: float | None, unit: str, elapsed_s: float, note: str) -> str:
    """One line about a job under way.

    >>> progress_line("label", 500, 2000, "texts", 10.0, "")
    'label: 500 of 2,000 texts (25 %), 50/s, 10 s so far, 30 s left'
    """
    parts = [_amount(done, total, unit)]
    rate = done / elapsed_s if elapsed_s > 0 else 0.0
    if rate > 0:
        parts.append(figures.rate(rate))
    parts.append(f"{figures.seconds(elapsed_s)} so far")
    if rate > 0 and total is not None and total > done:
        parts.append(f"{figures.seconds((total - done) / rate)} left")
    return f"{task}: {', '.join([*parts, *([note] if note else [])])}"


def finished_line(task: str, done: float, unit: str, elapsed_s: float, note: str) -> str:
    """One line about a job that is done.

    >>> finished_line("label", 2000, "texts", 41.0, "$0.01")
    'label: done, 2,000 texts in 41 s, $0.01'
    """
    said = (
        f"{_amount(done, None, unit)} in {figures.seconds(elapsed_s)}" if done else figures.seconds(elapsed_s)
    )
    return f"{task}: done, {said}{f', {note}' if note else ''}"


class _Figures(ProgressColumn):
    """Amount, rate, times and note of a bar, in the same words as the lines."""

    def render(self, task: Task) -> Text:
        line = progress_line(
            "",
            task.completed,
            task.total,
            str(task.fields["unit"]),
            task.elapsed or 0.0,
            str(task.fields["note"]),
        )
        return Text(line.removeprefix(": "), style="dim", overflow="ellipsis", no_wrap=True)


def _bars(console: Console) -> Bars:
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        _Figures(),
        console=console,
        refresh_per_second=5,
        transient=True,
    )


def _amount(done: float, total: float | None, unit: str) -> str:
    shown = figures.measured(done, "")
    if total is None:
        return f"{shown} {unit}".strip()
    share = f" ({figures.percent(done / total, 0)})" if total > 0 else ""
    return f"{shown} of {figures.measured(total, '')} {unit}".strip() + share
