"""`coffey plan`, drawn: verdict, costs, how sure that is, what it hangs on, what else could be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts, figure_table
from coffey.dashboard import figures
from coffey.dashboard.sections.money_tables import BESIDE, RUN

MOST_SWINGS = 8


def draw(plan: dict[str, Any]) -> RenderableType:
    """The plan as text and tables."""
    parts: list[RenderableType] = [Text(plan["verdict"], style="bold"), facts(_sums(plan))]
    if plan["costs"]:
        parts.append(_costs(plan["costs"]))
    if plan["sensitivity"]:
        parts.append(_sensitivity(plan))
    parts += [_alternatives(plan), _figures(plan)]
    parts += [Text(f"Note: {note}") for note in plan["notes"]]
    if plan.get("report"):
        parts.append(Text(f"Report: {plan['report']}"))
    return Group(*parts)


def _sums(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    days, net = plan["break_even"], plan["net_value"]
    horizon = figures.days(plan["horizon_days"])
    breaks_even, left = figures.days(plan["break_even_days"]), figures.usd(plan["savings_usd_over_horizon"])
    yield "cost of the run", figures.usd(plan["run_usd"])
    yield "saved a day", figures.usd(plan["savings_usd_per_day"])
    yield "breaks even", breaks_even + _likely(breaks_even, days, figures.days)
    yield f"left after {horizon}", left + _likely(left, net, figures.usd)
    if net:
        yield f"chance that it does not pay within {horizon}", figures.chance(plan["never_probability"])
        yield "mean of the draws", figures.usd(net["mean"])
    if plan["pays_from_requests_per_day"] is not None:
        yield "pays from", f"{figures.count(plan['pays_from_requests_per_day'])} requests a day"
    if plan["pays_from_gap_usd_per_1k"] is not None:
        gap = figures.usd(plan["pays_from_gap_usd_per_1k"])
        yield "pays, at this traffic, from", f"a teacher {gap} dearer per 1,000 requests than the student"


def _costs(costs: dict[str, Any]) -> RenderableType:
    run = [(name, figures.usd(usd), "", "", "") for key, name in RUN.items() if (usd := costs["run"][key])]
    beside = [(name, "", figures.usd(usd), "", "") for key, name in BESIDE.items() if (usd := costs[key])]
    rows = [*run, *(_served(who, costs[who]) for who in ("teacher", "student")), *beside]
    return figure_table(("cost", "once", "a day", "per 1,000", "machines"), rows)


def _served(who: str, cost: dict[str, Any]) -> tuple[str, ...]:
    machines = "" if cost["machines"] is None else str(cost["machines"])
    per_1k = "" if cost["usd_per_1k"] is None else figures.usd(cost["usd_per_1k"])
    return (f"{who} serving", "", figures.usd(cost["usd_per_day"]), per_1k, machines)


def _sensitivity(plan: dict[str, Any]) -> RenderableType:
    rows = [
        (
            figures.spoken(row["figure"]),
            _between(row),
            figures.span(*(figures.days(row[f"break_even_days_at_{end}"]) for end in ("low", "high"))),
            figures.span(*(figures.usd(row[f"net_usd_at_{end}"]) for end in ("low", "high"))),
        )
        for row in plan["sensitivity"][:MOST_SWINGS]
    ]
    left = f"left after {figures.days(plan['horizon_days'])}"
    return figure_table(("it hangs on", "between", "break-even", left), rows)


def _alternatives(plan: dict[str, Any]) -> RenderableType:
    rows = [_student(plan), *(_alternative(row) for row in plan["alternatives"])]
    left = f"left after {figures.days(plan['horizon_days'])}"
    columns = ("what to do", "cost", "a day", "break-even", left, "")
    return figure_table(columns, rows, words=frozenset({0, 5}), strong=frozenset({0}))


def _student(plan: dict[str, Any]) -> tuple[str, ...]:
    costs = plan["costs"]
    a_day = figures.usd(costs["teacher"]["usd_per_day"] - plan["savings_usd_per_day"]) if costs else ""
    left = figures.usd(plan["savings_usd_over_horizon"])
    return ("distill", figures.usd(plan["run_usd"]), a_day, figures.days(plan["break_even_days"]), left, "")


def _alternative(row: dict[str, Any]) -> tuple[str, ...]:
    if row["savings_usd_over_horizon"] is None:
        return (row["name"], "", "", "", "", row["note"])
    return (
        row["name"],
        figures.usd(row["run_usd"]),
        "" if row["usd_per_day"] is None else figures.usd(row["usd_per_day"]),
        figures.days(row["break_even_days"]),
        figures.usd(row["savings_usd_over_horizon"]),
        row["note"],
    )


def _figures(plan: dict[str, Any]) -> RenderableType:
    rows = [
        (
            figures.spoken(name),
            figures.measured(row["value"], row["unit"]),
            "" if row["low"] is None else _between(row),
            row["origin"],
            row["note"],
        )
        for name, row in plan["figures"].items()
    ]
    return figure_table(("figure", "value", "between", "origin", "from"), rows, words=frozenset({0, 3, 4}))


def _between(row: dict[str, Any]) -> str:
    return figures.span(*(figures.measured(row[end], "") for end in ("low", "high")))


def _likely(middle: str, spread: dict[str, float | None] | None, write: Callable[[Any], str]) -> str:
    """The 10th to the 90th percentile, where they read otherwise than the middle."""
    ends = figures.span(write(spread["p10"]), write(spread["p90"])) if spread else middle
    return "" if ends == middle else f" (likely {ends})"
