"""`coffey rollback`: back to the previous champion, at once."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit


def rollback(
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    reason: Annotated[str, typer.Option(help="Kept in the registry's log.")] = "asked for",
) -> None:
    """Swap the champion and the previous one; a running server follows, and keeps both in memory."""
    with opened(config) as project:
        version = project.rollback(who="coffey rollback", reason=reason)
    emit(
        {"champion": version.name, "digest": version.digest},
        as_json,
        lambda said: Text(f"{said['champion']} is the champion again. Undo: coffey rollback"),
    )
