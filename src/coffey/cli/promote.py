"""`coffey promote`: make a version the champion."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit


def promote(
    name: Annotated[str, typer.Argument(help="Version, digest or alias.")] = "challenger",
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    reason: Annotated[str, typer.Option(help="Kept in the registry's log.")] = "",
) -> None:
    """Make the challenger (or a named version) the champion; a running server follows."""
    with opened(config) as project:
        version = project.promote(name, who="coffey promote", reason=reason)
    emit(
        {"champion": version.name, "digest": version.digest},
        as_json,
        lambda said: Text(f"{said['champion']} is the champion. Undo: coffey rollback"),
    )
