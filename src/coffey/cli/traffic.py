"""`coffey traffic`: questions to the log of served requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit

if TYPE_CHECKING:
    from coffey.traffic.sql import Rows

traffic = typer.Typer(name="traffic", help="Ask the log of served requests.", no_args_is_help=True)


@traffic.callback()
def _group() -> None:
    """Ask the log of served requests."""


@traffic.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT over the views traffic and audits.")],
    config: Config = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(help="Rows that are shown, at most.", min=1)] = 1000,
    as_json: AsJson = False,
) -> None:
    """Select from everything that was served and logged, compacted or not; nothing is changed."""
    from coffey.project.querying import query_traffic

    with opened(config) as project:
        found = query_traffic(project.workspace, statement, limit=limit)
    emit(
        {"columns": found.columns, "rows": _json_rows(found), "more": found.more},
        as_json,
        lambda _: draw(found),
    )


def draw(found: Rows) -> RenderableType:
    """The rows as a table, and whether there were more."""
    table = Table(*(escape(name) for name in found.columns), header_style="bold")
    for row in found.rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    return (
        Group(table, Text(f"The first {len(found.rows):,} rows; --limit shows more."))
        if found.more
        else table
    )


def _json_rows(found: Rows) -> list[list[object]]:
    """What JSON has no form for (times, decimals, intervals) as text."""
    return [[_json_value(value) for value in row] for row in found.rows]


def _json_value(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
