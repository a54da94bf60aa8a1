"""`coffey init`: write a commented coffey.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from coffey.cli.options import AsJson
from coffey.cli.output import emit
from coffey.core.errors import ConfigError, Problem


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write coffey.toml.")] = Path(),
    name: Annotated[str | None, typer.Option(help="Name of the project; the folder's when absent.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Folder, hub id or package.module:function.")] = None,
    transfer: Annotated[
        str | None, typer.Option(help="File to learn from; its columns are looked at.")
    ] = None,
    holdout: Annotated[str | None, typer.Option(help="File for the gate.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a coffey.toml that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a commented coffey.toml with every setting, its default and its meaning."""
    from coffey.core.files import write_atomic
    from coffey.project.starter import starter_toml

    path = folder / "coffey.toml"
    if path.exists() and not force:
        raise ConfigError(str(path), [Problem("file", str(path), "no such file yet; --force replaces it")])
    text = starter_toml(
        name=name or folder.resolve().name, teacher=teacher, transfer=transfer, holdout=holdout, folder=folder
    )
    write_atomic(path, text.encode())
    given = {"teacher": teacher, "transfer set": transfer, "holdout": holdout}
    lacking = [what for what, value in given.items() if value is None]
    todo = f"Name the {', '.join(lacking)} in it" if lacking else "Look through it"
    emit(
        {"config": str(path)},
        as_json,
        lambda said: Text(f"Wrote {said['config']}. {todo}, then: coffey doctor"),
    )
