"""`coffey plan`: does it pay, and when; with a project, or as a calculator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts, figure_table
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.core.errors import ConfigError, Problem
from coffey.dashboard import figures

if TYPE_CHECKING:
    from coffey.core.records import JsonObject

_CALCULATOR = ("--run-usd", "--saves-usd-per-1k", "--requests-per-day")


def plan(
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Measure the teacher and untrained students here first.")
    ] = False,
    run_usd: Annotated[float | None, typer.Option(help="Calculator: price of one run, in USD.")] = None,
    saves_usd_per_1k: Annotated[
        float | None, typer.Option(help="Calculator: what 1,000 requests get cheaper by, in USD.")
    ] = None,
    requests_per_day: Annotated[float | None, typer.Option(help="Calculator: requests a day.")] = None,
    horizon_days: Annotated[float, typer.Option(help="Calculator: days over which savings count.")] = 365.0,
) -> None:
    """Training cost against serving savings, and the break-even day. Exit code 1 when it does not pay."""
    given = (run_usd, saves_usd_per_1k, requests_per_day)
    if any(value is not None for value in given):
        value = _calculated(given, horizon_days)
    else:
        with opened(config) as project:
            value = project.plan(probe=probe)
    emit(cast("dict[str, Any]", dict(value)), as_json, draw)
    if not value["pays"]:
        raise typer.Exit(1)


def _calculated(given: tuple[float | None, ...], horizon_days: float) -> JsonObject:
    from coffey.economics.calculator import calculate
    from coffey.economics.plan_json import plan_json

    missing = [name for name, value in zip(_CALCULATOR, given, strict=True) if value is None]
    if missing:
        expected = "a number (the calculator needs all three, or none of them for the project's own plan)"
        raise ConfigError("plan", [Problem(name, None, expected) for name in missing])
    run, saves, traffic = (float(value or 0.0) for value in given)
    return plan_json(calculate(run, saves, traffic, horizon_days))


def draw(plan: dict[str, Any]) -> RenderableType:
    """The verdict, the sums, what they hang on, what else could be done, and where each figure comes from."""
    spread = plan.get("break_even")
    likely = f" (likely {figures.days(spread['p10'])} to {figures.days(spread['p90'])})" if spread else ""
    parts: list[RenderableType] = [
        Text(plan["verdict"], style="bold"),
        facts(
            [
                ("cost of the run", figures.usd(plan["run_usd"])),
                ("saved a day", figures.usd(plan["savings_usd_per_day"])),
                ("breaks even", figures.days(plan["break_even_days"]) + likely),
                (
                    f"left after {figures.days(plan['horizon_days'])}",
                    figures.usd(plan["savings_usd_over_horizon"]),
                ),
            ]
        ),
    ]
    parts += [_sensitivity(plan), _alternatives(plan), _origins(plan)]
    parts += [Text(f"Note: {note}") for note in plan["notes"]]
    if plan.get("report"):
        parts.append(Text(f"Report: {plan['report']}"))
    return Group(*parts)


def _sensitivity(plan: dict[str, Any]) -> RenderableType:
    rows = [
        (
            row["figure"].replace("_", " "),
            f"{row['low']:g} to {row['high']:g}",
            " to ".join(figures.days(row[f"break_even_days_at_{end}"]) for end in ("low", "high")),
        )
        for row in plan["sensitivity"][:6]
    ]
    return figure_table(("it hangs on", "between", "break-even"), rows)


def _alternatives(plan: dict[str, Any]) -> RenderableType:
    rows = [
        (
            row["name"],
            figures.usd(row["run_usd"]),
            "" if row["usd_per_day"] is None else figures.usd(row["usd_per_day"]),
            figures.days(row["break_even_days"]),
            row["note"],
        )
        for row in plan["alternatives"]
    ]
    return figure_table(("instead", "cost", "a day", "break-even", ""), rows, words=frozenset({0, 4}))


def _origins(plan: dict[str, Any]) -> RenderableType:
    rows = [
        (name.replace("_", " "), figures.measured(row["value"], row["unit"]), row["origin"], row["note"])
        for name, row in plan["figures"].items()
    ]
    return figure_table(("figure", "value", "origin", "from"), rows, words=frozenset({0, 2, 3}))
