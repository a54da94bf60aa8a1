"""The live view of `coffey watch`: the last tick, the evidence as it grows, and what is being done now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts
from coffey.cli.tick import draw
from coffey.core.clock import Clock, monotonic, utc_now
from coffey.dashboard import figures
from coffey.dashboard.progress import progress_line

if TYPE_CHECKING:
    from coffey.control.tick import TickReport
    from coffey.monitor.agreement import AgreementReport

WIDTH = 60
"""Columns of a line of evidence."""
BLOCKS = "▁▂▃▄▅▆▇█"


class WatchView:
    """What stands on the screen; also the progress of the tick at work, in one line.

    The ticks run in one thread and the screen is drawn from another: each field is set as a whole.
    """

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._tick: RenderableType = Text("The first tick is at work.", style="dim")
        self._when = ""
        self._doing = ""
        self._next_s: float | None = None
        self._jobs: dict[str, tuple[float, float | None, str, float]] = {}

    def show(self, report: TickReport) -> None:
        """The view of a tick that ended."""
        self._tick, self._when = ticked(report), figures.moment(utc_now())

    def fail(self, problem: str) -> None:
        """Say what went wrong outside; the tick before stays on the screen."""
        self._doing = f"Tried, and will try again: {problem}"

    def wait(self, seconds: float) -> None:
        """Count down to the next tick."""
        self._next_s = self._clock() + seconds

    def work(self) -> None:
        """The next tick begins."""
        self._next_s, self._doing = None, ""

    def __rich__(self) -> RenderableType:
        waits = self._next_s
        foot = "at work" if waits is None else f"next tick in {max(0.0, waits - self._clock()):.0f} s"
        head = f"{self._when}  {foot}  Ctrl-C stops".strip()
        return Group(Text(head, style="dim"), self._tick, Text(self._doing, style="yellow"))

    def start(self, task: str, total: float | None, unit: str) -> None:
        """Begin a job."""
        self._jobs[task] = (0.0, total, unit, self._clock())

    def advance(self, task: str, amount: float = 1, note: str = "") -> None:
        """Show how far a job is."""
        done, total, unit, started = self._jobs.get(task, (0.0, None, "", self._clock()))
        self._jobs[task] = (done + amount, total, unit, started)
        self._doing = progress_line(task, done + amount, total, unit, self._clock() - started, note)

    def finish(self, task: str, note: str = "") -> None:
        """A job is done."""
        self._jobs.pop(task, None)
        self._doing = ""

    def say(self, line: str) -> None:
        """Show a line until the next one."""
        self._doing = line


def ticked(report: TickReport) -> RenderableType:
    """What a tick saw and did, with the evidence over the audits since the promotion."""
    agreement = report.agreement
    return draw(report) if agreement is None else Group(draw(report), evidence(agreement))


def evidence(agreement: AgreementReport) -> RenderableType:
    """Agreement and evidence, one column a stretch of audits; full height is the threshold of the alarm."""
    shares = [point.agreement.value for point in agreement.series]
    grown = [point.log_evidence for point in agreement.series]
    least, threshold = min(shares), agreement.log_threshold
    now = f"{agreement.log_evidence:.1f} of {threshold:.1f} (natural logarithms)"
    rows = [
        ("agreement, recent", f"{line(shares, least, 1.0)}  {least:.3f} to {max(shares):.3f}"),
        ("evidence of a drop", f"{line(grown, 0.0, threshold)}  {now}"),
    ]
    return facts(rows)


def line(values: Sequence[float], low: float, high: float) -> str:
    """Values between `low` and `high` as at most `WIDTH` blocks; each shows the last of its stretch.

    >>> line([0.0, 0.5, 1.0, 2.0], 0.0, 1.0)
    '▁▅██'
    """
    step = max(1, -(-len(values) // WIDTH))
    shown = list(values)[::-1][::step][::-1]
    span = high - low
    top = len(BLOCKS) - 1
    levels = [round(top * (value - low) / span) if span > 0 else 0 for value in shown]
    return "".join(BLOCKS[min(top, max(0, level))] for level in levels)
