"""`coffey watch`: `tick` again and again, with a live view."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from coffey.cli.options import DEFAULT_CONFIG, Config, opened
from coffey.cli.output import emit, people
from coffey.cli.tick import as_object
from coffey.cli.watch_view import WatchView, ticked
from coffey.core.clock import utc_now
from coffey.core.errors import CoffeyError, ConfigError, MissingExtra
from coffey.dashboard import figures

if TYPE_CHECKING:
    from coffey.control.tick import TickReport
    from coffey.project.project import Project


def watch(
    config: Config = DEFAULT_CONFIG,
    every: Annotated[float, typer.Option(help="Seconds between ticks.", min=1.0)] = 60.0,
    times: Annotated[int | None, typer.Option(help="Stop after so many ticks.", min=1)] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a tick and line, and nothing else on stdout."),
    ] = False,
) -> None:
    """Tick every so many seconds until Ctrl-C; what fails outside is said and tried again."""
    if sys.stdout.isatty() and not as_json:
        _watch_live(config, every, times)
        return
    with opened(config) as project:
        for outcome in _outcomes(project, times, pause=lambda: time.sleep(every)):
            (_print_json if as_json else _print)(outcome)


def _outcomes(
    project: Project, times: int | None, *, pause: Callable[[], None]
) -> Iterator[TickReport | CoffeyError]:
    """What each tick came to, with a pause between two.

    Raises:
        ConfigError, MissingExtra: trying again would not help.
    """
    done = 0
    while True:
        try:
            yield project.tick()
        except (ConfigError, MissingExtra):
            raise
        except CoffeyError as exc:
            yield exc
        done += 1
        if times is not None and done >= times:
            return
        pause()


def _watch_live(config: Path, every: float, times: int | None) -> None:
    from coffey.project.project import Project

    view = WatchView()

    def pause() -> None:
        view.wait(every)
        time.sleep(every)
        view.work()

    project = Project.load(config, progress=view)
    with Live(view, console=people(), refresh_per_second=4):
        for outcome in _outcomes(project, times, pause=pause):
            if isinstance(outcome, CoffeyError):
                view.fail(str(outcome))
            else:
                view.show(outcome)


def _print(outcome: TickReport | CoffeyError) -> None:
    if isinstance(outcome, CoffeyError):
        said: RenderableType = Text(f"Tried, and will try again: {outcome}", style="yellow")
    else:
        said = ticked(outcome)
    people().print(Group(Text(figures.moment(utc_now()), style="dim"), said, Text("")))


def _print_json(outcome: TickReport | CoffeyError) -> None:
    said = {"error": str(outcome)} if isinstance(outcome, CoffeyError) else as_object(outcome)
    emit({"time": utc_now(), **said}, True, lambda _: "")
