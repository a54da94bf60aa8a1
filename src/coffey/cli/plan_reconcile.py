"""`coffey plan --reconcile` for people: forecast, actual, error, and what the next forecast makes of it."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts, figure_table
from coffey.dashboard import figures


def draw(value: dict[str, Any]) -> RenderableType:
    """What `project.reconciling.reconcile_project` returned."""
    parts: list[RenderableType] = [
        facts(
            [
                ("forecast of", figures.moment(value["forecast_at"])),
                ("student made", figures.moment(value["made_at"])),
                ("run", value["run"]),
            ]
        ),
        _rows(value["figures"]),
        _next(value["next"]),
    ]
    parts += [Text(f"Not compared: {_name(name)}: {why}.") for name, why in value["missing"].items()]
    return Group(*parts)


def _rows(rows: list[dict[str, Any]]) -> RenderableType:
    shown = [
        (
            _name(row["name"]),
            figures.measured(row["forecast"], row["unit"]),
            figures.measured(row["actual"], row["unit"]),
            "" if row["error"] is None else f"{100 * row['error']:+.1f} %",
            row["origin"],
            row["source"],
        )
        for row in rows
    ]
    columns = ("figure", "forecast", "actual", "error", "forecast was", "actual from")
    return figure_table(columns, shown, words=frozenset({0, 4, 5}))


def _next(lessons: list[dict[str, Any]]) -> RenderableType:
    rows = [
        (
            f"{_name(one['kind'])} ({one['origin']})",
            str(one["runs"]),
            f"{one['centre']:.2f}",
            f"{one['low']:.2f} to {one['high']:.2f}",
        )
        for one in lessons
        if one["runs"]
    ]
    return figure_table(("the next forecast", "runs", "times", "8 of 10 within"), rows)


def _name(name: str) -> str:
    kind, _, stage = name.partition(":")
    return f"{figures.spoken(kind)} {stage}".strip()
