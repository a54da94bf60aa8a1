"""`coffey bench`: latency and throughput of the artifact that ships, the teacher beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts, figure_table
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.dashboard import figures
from coffey.traffic.ledger import STEPS

if TYPE_CHECKING:
    from coffey.core.records import Latency


def bench(
    name: Annotated[
        str | None,
        typer.Argument(help="Version, alias or artifact folder; the champion, else the challenger."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    seconds: Annotated[float, typer.Option(help="Measuring time of each part.", min=0.5)] = 10.0,
    http: Annotated[bool, typer.Option(help="Measure through the server as well.")] = True,
    teacher: Annotated[
        bool, typer.Option(help="Measure the teacher, exported the same way, in the same run.")
    ] = True,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Show where the time of a request through the server goes.")
    ] = False,
) -> None:
    """Measure in process and through the server, closed and open loop. Exit code 1: the budget is missed."""
    with opened(config) as project:
        value = project.bench(name, seconds=seconds, http=http, teacher=teacher)
    emit(cast("dict[str, Any]", dict(value)), as_json, partial(draw, ledger=ledger))
    if not value["within_budget"]:
        raise typer.Exit(1)


def draw(result: dict[str, Any], *, ledger: bool = False) -> RenderableType:
    """What was timed, the ratios, the rate that holds, and the machine; the ledger where it is asked for."""
    subjects = [result[who] for who in ("teacher", "student") if result[who]]
    rows = [latency_row(one) for subject in subjects for one in subject["latencies"]]
    rows += [latency_row(one) for one in result["curve"]]
    machine = result["machine"]
    ratios = [
        ("parameters", _ratio(result["params_ratio"], "fewer")),
        ("latency", _ratio(result["latency_ratio"], "lower p50 in process, same runtime")),
        ("within the budget", f"up to {figures.rate(result['max_rps_within_slo'])}"),
        ("machine", f"{machine['cpu']}, {machine['cores']} cores, {result['threads']} thread(s)"),
        ("report", result.get("report") or ""),
    ]
    parts: list[RenderableType] = [latency_table(rows), facts(ratios), Text(result["verdict"], style="bold")]
    if ledger:
        parts.append(ledger_table(result["ledger_us"]))
    if result["noise"]["warning"]:
        parts.append(Text(result["noise"]["warning"], style="yellow"))
    return Group(*parts)


def ledger_table(ledger_us: dict[str, float] | None) -> RenderableType:
    """The steps of the mean request, in their order."""
    if ledger_us is None:
        return Text("No ledger: the student was not asked through a server.")
    whole = sum(ledger_us.values())
    rows = [
        (step, f"{spent:,.0f} µs", figures.percent(spent / whole, 0) if whole else "", STEPS[step])
        for step, spent in ledger_us.items()
    ]
    columns = ("step", "mean", "share", "from … to")
    return figure_table(columns, rows, title="One request through the server", words=frozenset({0, 3}))


def latency_table(rows: list[tuple[str, ...]]) -> RenderableType:
    """A table of `latency_row`s."""
    columns = ("subject", "path", "load", "offered", "answered", "p50", "p95", "p99", "errors")
    return figure_table(columns, rows, words=frozenset({0, 1, 2}))


def latency_row(one: dict[str, Any] | Latency) -> tuple[str, ...]:
    """One measurement in a line."""
    value = one if isinstance(one, dict) else {name: getattr(one, name) for name in one.__slots__}
    offered = value["offered_rps"]
    return (
        value["subject"],
        value["path"],
        value["load"],
        "" if offered is None else figures.rate(offered),
        figures.rate(value["rps"]),
        *(figures.milliseconds(value[f"{which}_ms"]) for which in ("p50", "p95", "p99")),
        f"{value['errors']:,}",
    )


def _ratio(value: float | None, what: str) -> str:
    return "not known" if value is None else f"{figures.ratio(value)} {what}"
