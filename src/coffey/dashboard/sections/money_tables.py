"""The tables of a plan: what costs what, how sure the answer is, what else could be done, origins."""

from __future__ import annotations

from collections.abc import Iterator

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Facts, Table, filled
from coffey.dashboard.reading import number, obj, rows, words

RUN = {
    "teacher_usd": "teacher on the transfer set",
    "holdout_usd": "teacher on the holdout",
    "training_usd": "training",
    "controls_usd": "control arms",
    "export_usd": "export, gate and bench",
    "people_usd": "people",
}
"""What the parts of a run are called."""
BESIDE = {
    "audits_usd_per_day": "audits",
    "redistills_usd_per_day": "re-distillations",
    "storage_usd_per_day": "storage",
    "errors_usd_per_day": "errors",
}
"""What the parts of a day beside serving are called."""


def answers(plan: JsonObject) -> Facts | None:
    """How sure the answer is, and from where on it is yes; "likely" is 10 % to 90 % of the draws."""
    horizon = figures.days(number(plan, "horizon_days"))
    pairs = [
        ("break-even, likely", _days(plan)),
        (f"net value after {horizon}, likely", _net(plan)),
        ("net value, mean of the draws", figures.measured(number(plan, "net_value", "mean"), "USD")),
        (f"chance that it does not pay within {horizon}", _chance(number(plan, "never_probability"))),
        ("pays from a traffic of", _count(number(plan, "pays_from_requests_per_day"), "requests a day")),
        ("pays, at this traffic, from a gap of", _gap(plan)),
    ]
    known = [(name, value) for name, value in pairs if value and value != figures.ABSENT]
    return Facts(known) if known else None


def costs_table(plan: JsonObject) -> Table | None:
    """The parts of the run, and of a day."""
    costs = obj(plan, "costs")
    body = [*_once(costs), *_serving(costs), *_beside(costs)]
    if not body:
        return None
    table = Table(("cost", "once", "a day", "per 1,000 requests", "machines"), body, caption="Costs")
    return filled(table)


def alternatives_table(plan: JsonObject) -> Table | None:
    """The student and every alternative on the same footing."""
    found = rows(plan, "alternatives")
    if not found:
        return None
    names = {words(row, "name") for row in found}
    body = [_cells(row) for row in found]
    if "savings_usd_over_horizon" in plan and "distill" not in names:
        body = [_cells(_student(plan)), *body]
    table = Table(
        (
            "what to do",
            "cost of the change",
            "serving a day",
            "breaks even",
            "net value",
            "likely",
            "note",
        ),
        body,
        caption="Alternatives",
        text_columns=frozenset({0, 6}),
    )
    return filled(table)


def origins_table(plan: JsonObject) -> Table | None:
    """Every figure with its range and where it comes from."""
    told = obj(plan, "figures")
    found = [(name, value) for name in told if (value := obj(told, name))]
    if not found:
        return None
    body = [
        (
            figures.spoken(name),
            figures.measured(number(value, "value"), words(value, "unit")),
            _between(number(value, "low"), number(value, "high"), ""),
            words(value, "origin"),
            figures.short(words(value, "note")),
        )
        for name, value in found
    ]
    table = Table(
        ("figure", "value", "between", "origin", "how"),
        body,
        caption="Where every figure comes from",
        text_columns=frozenset({0, 3, 4}),
    )
    return filled(table)


def _once(costs: JsonObject) -> Iterator[tuple[str, ...]]:
    for key, name in RUN.items():
        if usd := number(costs, "run", key):
            yield (name, figures.usd(usd), "", "", "")


def _serving(costs: JsonObject) -> Iterator[tuple[str, ...]]:
    for who in ("teacher", "student"):
        usd = number(costs, who, "usd_per_day")
        if usd is not None:
            machines = _count(number(costs, who, "machines"), "")
            per_1k = figures.measured(number(costs, who, "usd_per_1k"), "USD")
            yield (f"{who} serving", "", figures.usd(usd), per_1k, machines)


def _beside(costs: JsonObject) -> Iterator[tuple[str, ...]]:
    for key, name in BESIDE.items():
        if usd := number(costs, key):
            yield (name, "", figures.usd(usd), "", "")


def _student(plan: JsonObject) -> JsonObject:
    teacher, saved = number(plan, "costs", "teacher", "usd_per_day"), number(plan, "savings_usd_per_day")
    return {
        **plan,
        "name": "distill",
        "usd_per_day": None if teacher is None or saved is None else teacher - saved,
        "note": "",
    }


def _cells(row: JsonObject) -> tuple[str, ...]:
    open_ = "savings_usd_over_horizon" not in row or number(row, "savings_usd_over_horizon") is not None
    return (
        words(row, "name"),
        figures.measured(number(row, "run_usd"), "USD") if open_ else figures.ABSENT,
        figures.measured(number(row, "usd_per_day"), "USD"),
        figures.days(number(row, "break_even_days"))
        if open_ and "break_even_days" in row
        else figures.ABSENT,
        figures.measured(number(row, "savings_usd_over_horizon"), "USD"),
        _net(row),
        figures.short(words(row, "note"), 200),
    )


def _days(plan: JsonObject) -> str:
    if not obj(plan, "break_even"):
        return ""
    return figures.span(*(figures.days(number(plan, "break_even", end)) for end in ("p10", "p90")))


def _net(row: JsonObject) -> str:
    return _between(number(row, "net_value", "p10"), number(row, "net_value", "p90"), "USD")


def _between(low: float | None, high: float | None, unit: str) -> str:
    if low is None or high is None:
        return figures.ABSENT
    return figures.span(figures.measured(low, unit), figures.measured(high, unit))


def _gap(plan: JsonObject) -> str:
    gap = number(plan, "pays_from_gap_usd_per_1k")
    return "" if gap is None else f"{figures.usd(gap)} per 1,000 requests, teacher less student"


def _chance(share: float | None) -> str:
    return "" if share is None else figures.chance(share)


def _count(value: float | None, unit: str) -> str:
    return "" if value is None else f"{figures.count(value)} {unit}".strip()
