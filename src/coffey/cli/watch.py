"""`coffey watch`: `tick` again and again, with a live view."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.text import Text

from coffey.cli.options import DEFAULT_CONFIG, Config, opened
from coffey.cli.tick import draw
from coffey.core.clock import utc_now
from coffey.core.errors import CoffeyError, ConfigError, MissingExtra
from coffey.dashboard import figures


def watch(
    config: Config = DEFAULT_CONFIG,
    every: Annotated[float, typer.Option(help="Seconds between ticks.", min=1.0)] = 60.0,
    times: Annotated[int | None, typer.Option(help="Stop after so many ticks.", min=1)] = None,
) -> None:
    """Tick every so many seconds until Ctrl-C; what fails outside is said and tried again."""
    console = Console(highlight=False)
    done = 0
    with opened(config) as project:
        while times is None or done < times:
            try:
                view = draw(project.tick())
            except (ConfigError, MissingExtra):
                raise
            except CoffeyError as exc:
                view = Text(f"Tried, and will try again: {exc}", style="yellow")
            console.print(Group(Text(figures.moment(utc_now()), style="dim"), view, Text("")))
            done += 1
            if times is None or done < times:
                time.sleep(every)
