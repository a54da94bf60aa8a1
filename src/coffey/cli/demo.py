"""`coffey demo`: the whole loop on a bundled example, with a real teacher and real text."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Group, RenderableType

from coffey.cli.drawing import facts, figure_table
from coffey.cli.options import AsJson
from coffey.cli.output import emit
from coffey.core.records import Interval
from coffey.dashboard import figures
from coffey.dashboard.progress import RichProgress


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps everything it makes.")] = Path(
        "coffey-demo"
    ),
    compare: Annotated[
        bool, typer.Option("--compare", help="Train the control arms too (twice as long).")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove the folder first and start over.")] = False,
    as_json: AsJson = False,
) -> None:
    """Plan, label, distill, bench, serve, audit, re-distill and promote on BBC news; then one report."""
    from coffey.project.demo.run import run_demo
    from coffey.project.demo.setup import check_folder

    check_folder(folder)
    if fresh and (folder / "coffey.toml").exists():
        shutil.rmtree(folder)
    with RichProgress() as progress:
        value = run_demo(folder, compare=compare, progress=progress)
    emit(cast("dict[str, Any]", dict(value)), as_json, draw)


def draw(result: dict[str, Any]) -> RenderableType:
    """The table, forecast beside actual, what the watch saw, and where the report is."""
    alarm, student = result["alarm"], result["student"]
    smaller, faster = figures.ratio(result["params_ratio"]), figures.ratio(result["latency_ratio"])
    later = result["recovered"]
    told = facts(
        [
            ("retention", _interval(student["retention"])),
            ("agreement", _interval(student["agreement"])),
            (
                "smaller, faster",
                f"{smaller} fewer parameters, {faster} lower p50",
            ),
            (
                "alarm",
                f"before the drift: {_yes(alarm['before_drift'])}; after it: {_yes(alarm['after_drift'])}",
            ),
            ("re-distilled", _redistilled(result)),
            (
                "afterwards",
                f"agreement {_interval(later['agreement'])}, alarm: {_yes(later['alarm'])}",
            ),
            ("requests", _requests(result["replayed"])),
            ("plan", result["plan"]["verdict"]),
            ("artifact", result["artifact"]),
            ("project", result["config"]),
            ("report", result["report"] or "not drawn"),
            ("took", figures.seconds(result["seconds"])),
        ]
    )
    return Group(draw_models(result["table"]), _forecast(result["forecast_vs_actual"]), told)


def draw_models(rows: list[dict[str, Any]]) -> RenderableType:
    """Teacher and student beside each other, the student bold."""
    cells = [
        (
            row["model"],
            figures.count(row["params"]) if row["params"] else "",
            figures.size(row["bytes"]) if row.get("bytes") else "",
            _interval(row["quality"]) if row["quality"] else "",
            figures.milliseconds(row["p50_ms"]) if row["p50_ms"] else "",
            figures.milliseconds(row["p99_ms"]) if row["p99_ms"] else "",
            figures.usd(row["usd_per_1k"]),
            figures.days(row["break_even_days"]) if row.get("break_even_days") else "",
        )
        for row in rows
    ]
    columns = ("model", "parameters", "size", "quality", "p50", "p99", "per 1,000", "breaks even")
    return figure_table(columns, cells, strong=frozenset({len(cells) - 1}))


def _forecast(rows: list[dict[str, Any]]) -> RenderableType:
    cells = [
        (
            row["name"].replace("_", " "),
            figures.measured(row["forecast"], row["unit"]),
            figures.measured(row["actual"], row["unit"]),
            "" if row["error"] is None else f"{row['error']:+.0%}",
        )
        for row in rows
    ]
    return figure_table(("figure", "forecast", "actual", "error"), cells)


def _redistilled(result: dict[str, Any]) -> str:
    mended = result["redistilled"]
    if mended:
        return f"agreement on fresh traffic {_interval(mended['before'])} → {_interval(mended['after'])}"
    return f"not promoted. {result['refused']}" if result["refused"] else "not needed"


def _requests(replayed: dict[str, Any]) -> str:
    sent = sum(one["sent"] for one in replayed.values())
    failed = sum(one["failed"] for one in replayed.values())
    return f"{sent:,} answered over HTTP, {failed} failed"


def _interval(value: dict[str, Any]) -> str:
    return figures.interval(Interval(**value))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
