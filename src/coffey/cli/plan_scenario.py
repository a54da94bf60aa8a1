"""`coffey plan --scenario FILE` for people: both ways, their stages, both servers, and the machines."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts, figure_table
from coffey.dashboard import figures

_MARKS = {True: "yes", False: "no"}


def draw(value: dict[str, Any]) -> RenderableType:
    """What `economics.scenario_plan.plan_scenario` returned."""
    scenario = value["scenario"]
    return Group(
        Text(value["verdict"], style="bold"),
        facts(_facts(scenario)),
        _paths(scenario),
        _stages(scenario),
        _servers(scenario),
        _sensitivity(value),
        _machines(scenario),
        *(Text(f"Note: {note}") for note in value["notes"]),
    )


def _facts(scenario: dict[str, Any]) -> list[tuple[str, str]]:
    transfer, cluster = scenario["transfer"], scenario["cluster"]
    return [
        ("scenario", scenario["name"]),
        ("transfer set", f"{figures.count(transfer['rows'])} inputs of {transfer['tokens']} tokens"),
        (
            "cluster",
            f"{cluster['devices']} x {cluster['machine']} in {cluster['precision']}, "
            f"sharded: {cluster['sharding']}",
        ),
        (
            "equal compute",
            f"the direct jump could train {scenario['direct_epochs_at_equal_compute']:.3g} epochs "
            "with the operations of the chain",
        ),
    ]


def _paths(scenario: dict[str, Any]) -> RenderableType:
    rows = [
        (
            name,
            figures.count(path["device_hours"]),
            figures.usd(path["labelling_usd"]),
            figures.usd(path["training_usd"]),
            figures.usd(path["people_usd"]),
            figures.usd(path["run_usd"]),
            figures.usd(path["savings_usd_per_day"]),
            _break_even(path),
        )
        for name, path in scenario["paths"].items()
    ]
    columns = ("way", "device hours", "labelling", "training", "people", "run", "saved a day", "break-even")
    return figure_table(columns, rows)


def _break_even(path: dict[str, Any]) -> str:
    spread, days = path["break_even"], figures.days(path["break_even_days"])
    likely = figures.span(figures.days(spread["p10"]), figures.days(spread["p90"])) if spread else days
    return days if likely == days else f"{days} ({likely})"


def _stages(scenario: dict[str, Any]) -> RenderableType:
    rows = [row for name, path in scenario["paths"].items() for row in _jobs(name, path)]
    columns = ("way", "job", "parameters", "steps", "a step", "device hours", "cost", "memory", "fits")
    return figure_table(columns, rows, words=frozenset({0, 1, 8}))


def _jobs(name: str, path: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            name,
            job["name"],
            figures.count(job["params"]) if "params" in job else "",
            figures.count(job["steps"]["value"]),
            figures.seconds(job["step_s"]["value"]),
            _between(job["device_hours"], figures.count),
            figures.usd(job["usd"]),
            figures.size(job["memory_bytes"]["total"]) if "params" in job else "",
            _MARKS[job["fits"]] if "params" in job else "",
        )
        for job in (*path["stages"], *path["answers"])
    ]


def _servers(scenario: dict[str, Any]) -> RenderableType:
    rows = [
        (
            who,
            server["name"],
            figures.count(server["params"]),
            f"{server['machine']} {server['precision']}",
            figures.milliseconds(server["alone_ms"]["value"]),
            str(server["batch"]),
            _between(server["requests_per_s"], figures.rate),
            _MARKS[server["holds_latency"]],
        )
        for who, server in scenario["serving"].items()
        if isinstance(server, dict)
    ]
    within = f"p99 ≤ {scenario['serving']['latency_p99_ms']:g} ms"
    columns = ("serving", "model", "parameters", "on", "one request", "batch", "a machine takes", within)
    return figure_table(columns, rows, words=frozenset({0, 1, 3, 7}))


def _sensitivity(value: dict[str, Any]) -> RenderableType:
    rows = [
        (
            figures.spoken(row["figure"]),
            f"{figures.measured(row['low'], '')} to {figures.measured(row['high'], '')}",
            figures.span(*(figures.days(row[f"break_even_days_at_{end}"]) for end in ("low", "high"))),
        )
        for row in value["sensitivity"][:6]
    ]
    return figure_table(("the chain hangs on", "between", "break-even"), rows)


def _machines(scenario: dict[str, Any]) -> RenderableType:
    """The figures that the plan stands on: of the peaks, those of the precisions that are used."""
    places = (scenario["cluster"], scenario["serving"]["teacher"], scenario["serving"]["student"])
    used = {(place["machine"], f"peak:{place['precision']}") for place in places}
    rows = [
        (machine, figures.spoken(name), _quantity(row), row["origin"], row["note"])
        for machine, found in scenario["hardware"].items()
        for name, row in found.items()
        if not name.startswith("peak:") or (machine, name) in used
    ]
    columns = ("machine", "figure", "value", "origin", "from")
    return figure_table(columns, rows, words=frozenset({0, 1, 3, 4}))


def _quantity(row: dict[str, Any]) -> str:
    value, unit = row["value"], row["unit"]
    if unit == "FLOP/s":
        return f"{figures.count(value)} {unit}"
    if unit == "bytes/s":
        return f"{figures.size(value)}/s"
    return f"{1e6 * value:g} µs a kernel" if unit == "s a kernel" else figures.measured(value, unit)


def _between(amount: dict[str, float], write: Any) -> str:
    low, value, high = (write(amount[key]) for key in ("low", "value", "high"))
    return value if low == high else f"{value} ({low} to {high})"
