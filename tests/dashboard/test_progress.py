"""Progress is seldom where nobody watches, lively on a terminal, and never markup."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from coffey.core.progress import Progress
from coffey.dashboard.progress import RichProgress, progress_line


class Ticking:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=terminal, width=200, highlight=False), file


def test_without_a_terminal_a_job_speaks_at_most_every_ten_seconds_and_at_the_end() -> None:
    """A log of a long job holds a line every 10 s and one that says how it went."""
    clock = Ticking()
    target, file = console(terminal=False)
    with RichProgress(target, clock=clock) as progress:
        progress.start("label", 1000, "texts")
        for _ in range(1000):
            clock.now += 0.035
            progress.advance("label", note="loss 0.31")
        progress.finish("label", "$0.01")
    lines = file.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("label: 286 of 1,000 texts (29 %), 28.6/s, 10 s so far, 25 s left, loss 0.31")
    assert lines[-1] == "label: done, 1,000 texts in 35 s, $0.01"


def test_on_a_terminal_a_bar_is_drawn_and_taken_away() -> None:
    """The bar shows amount, rate and note; afterwards the cursor is back and the summary stays."""
    target, file = console(terminal=True)
    with RichProgress(target) as progress:
        progress.start("train", 10, "steps")
        progress.advance("train", 5, "loss 0.3")
        assert progress._bars is not None
        progress._bars.refresh()
        progress.say("a line [red]worth[/red] reading")
        progress.finish("train")
    drawn = file.getvalue()
    assert "5 of 10 steps (50 %)" in drawn
    assert "loss 0.3" in drawn
    assert "a line [red]worth[/red] reading" in drawn
    assert "train: done, 5 steps in" in drawn
    assert drawn.rstrip().count("\x1b[?25h") >= 1


def test_an_interrupted_job_gives_the_terminal_back() -> None:
    """Ctrl-C in the middle of a job shows the cursor again."""
    target, file = console(terminal=True)

    def interrupted() -> None:
        with RichProgress(target) as progress:
            progress.start("train", None, "steps")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "\x1b[?25h" in file.getvalue()


def test_many_threads_lose_no_advance() -> None:
    """Eight threads that report at once add up."""
    target, file = console(terminal=False)
    progress: Progress = RichProgress(target)
    progress.start("ask", 8000, "texts")
    threads = [
        threading.Thread(target=lambda: [progress.advance("ask") for _ in range(1000)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress.finish("ask")
    assert "done, 8,000 texts" in file.getvalue()


def test_out_of_order_calls_are_harmless() -> None:
    """A finish without a start, an advance without one and a second start are all taken."""
    target, file = console(terminal=False)
    with RichProgress(target) as progress:
        progress.finish("nothing")
        progress.advance("late", 3)
        progress.start("late", 0, "texts")
        progress.finish("late")
    assert file.getvalue().splitlines()[0].startswith("late: done")


def test_a_line_without_a_total_promises_no_end() -> None:
    """Time left is told only where the total is known and not reached."""
    assert "left" not in progress_line("x", 5, None, "steps", 2.0, "")
    assert "left" not in progress_line("x", 5, 5, "steps", 2.0, "")
    assert "%" not in progress_line("x", 0, 0, "steps", 0.0, "")
