"""`coffey plan`: does it pay, when, and with which student; for a project, a scenario, or as a calculator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Group, RenderableType

from coffey.cli import plan_frontier, plan_money, plan_reconcile, plan_scenario
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.core.errors import ConfigError, Problem
from coffey.core.ranges import how_to_write, read_number, read_range

if TYPE_CHECKING:
    from collections.abc import Callable

    from coffey.core.records import JsonObject

_CALCULATOR = ("--run-usd", "--saves-usd-per-1k", "--requests-per-day")


def _amount(text: str) -> float:
    """A number, or a range such as `8M..12M`, of the command line."""
    if (number := read_number(text)) is not None:
        return number
    try:
        return read_range(text)
    except ValueError:
        advice = how_to_write(text) or "write a number, or a range low..high such as 8M..12M"
        raise typer.BadParameter(f"{text!r} is no amount: {advice}") from None


def _calculator(what: str) -> Any:
    return typer.Option(help=f"Calculator: {what}", parser=_amount, metavar="NUMBER|LOW..HIGH")


def plan(  # noqa: PLR0913 - the parameters of a command are its options
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Measure the teacher and untrained students here first.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --probe: only what can be timed without a server.")
    ] = False,
    pilot: Annotated[
        bool, typer.Option("--pilot", help="Train the candidates briefly, to foresee their quality.")
    ] = False,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Instead: what was forecast, beside what happened.")
    ] = False,
    scenario: Annotated[
        Path | None,
        typer.Option(help="Instead: plan this file, for models too large to measure here."),
    ] = None,
    run_usd: Annotated[float | None, _calculator("price of one run, in USD.")] = None,
    saves_usd_per_1k: Annotated[
        float | None, _calculator("what 1,000 requests get cheaper by, in USD.")
    ] = None,
    requests_per_day: Annotated[float | None, _calculator("requests a day.")] = None,
    horizon_days: Annotated[
        float | None, typer.Option(help="Calculator: days over which savings count; 365 when absent.")
    ] = None,
) -> None:
    """Whether it pays, when, and which student. Exit code 1 when it does not, or none meets the budget."""
    given = (run_usd, saves_usd_per_1k, requests_per_day)
    calculator = any(value is not None for value in given)
    _one_of(
        {"--scenario": scenario is not None, "--reconcile": reconcile, "the calculator": calculator},
        {"--probe": probe, "--pilot": pilot},
    )
    _only_with("--quick", given=quick, other="--probe", present=probe)
    _only_with(
        "--horizon-days",
        given=horizon_days is not None,
        other="the calculator; a project has economics.horizon_days",
        present=calculator,
    )
    if scenario is not None:
        _tell(_planned(scenario), as_json, plan_scenario.draw)
    elif calculator:
        _tell(_calculated(given, 365.0 if horizon_days is None else horizon_days), as_json, _draw)
    elif reconcile:
        with opened(config) as project:
            emit(cast("dict[str, Any]", project.reconcile()), as_json, plan_reconcile.draw)
    else:
        with opened(config) as project:
            value = project.plan(probe=probe, quick=quick, pilot=pilot)
        _tell(value, as_json, _draw)


def _one_of(modes: dict[str, bool], measuring: dict[str, bool]) -> None:
    """Refuse modes that exclude each other.

    Raises:
        ConfigError: two were given, or one with something that only a project's plan measures.
    """
    chosen = [name for name, given in modes.items() if given]
    measured = [name for name, given in measuring.items() if given]
    if len(chosen) > 1 or (chosen and measured):
        excluded = ", ".join([*chosen, *measured])
        raise ConfigError("plan", [Problem("options", excluded, "one of them at a time")])


def _only_with(option: str, *, given: bool, other: str, present: bool) -> None:
    """Refuse an option that would be ignored.

    Raises:
        ConfigError: it was given without what it belongs to.
    """
    if given and not present:
        raise ConfigError("plan", [Problem("options", option, f"only with {other}")])


def _tell(value: JsonObject, as_json: bool, draw: Callable[[dict[str, Any]], RenderableType]) -> None:
    told = cast("dict[str, Any]", dict(value))
    emit(told, as_json, draw)
    if not told["pays"] or told.get("frontier", {}).get("answer") == "misses":
        raise typer.Exit(1)


def _draw(value: dict[str, Any]) -> RenderableType:
    money = plan_money.draw(value)
    return Group(money, plan_frontier.draw(value["frontier"])) if value.get("frontier") else money


def _planned(scenario: Path) -> JsonObject:
    from coffey.economics.scenario_plan import plan_scenario as planned

    return planned(scenario)


def _calculated(given: tuple[float | None, ...], horizon_days: float) -> JsonObject:
    from coffey.economics.calculator import calculate
    from coffey.economics.plan_json import plan_json

    missing = [name for name, value in zip(_CALCULATOR, given, strict=True) if value is None]
    if missing:
        expected = "a number (the calculator needs all three, or none of them for the project's own plan)"
        raise ConfigError("plan", [Problem(name, None, expected) for name in missing])
    run, saves, traffic = (value for value in given if value is not None)
    return plan_json(calculate(run, saves, traffic, horizon_days))
