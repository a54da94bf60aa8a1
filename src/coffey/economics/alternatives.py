"""What could be done instead, priced the same way and on the same draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from coffey.core.records import Figure, Origin
from coffey.economics.break_even import Outcome
from coffey.economics.cash_flow import CashFlow, Numbers, Values, cash_flow, given
from coffey.economics.draws import NetSpread, net_spread
from coffey.economics.inputs import PlanInputs
from coffey.economics.run_cost import SECONDS_PER_HOUR, run_total
from coffey.economics.running_cost import running_parts, student_flow
from coffey.economics.sensitivity import Evaluate
from coffey.economics.serving import machines_usd_per_day, student_usd_per_day, teacher_usd_per_day

_Money = Callable[[Values], Numbers]
"""USD of some values, a draw each."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to serve the same requests."""

    name: str
    run_usd: float
    usd_per_day: float | None
    """Serving, all in; None when that is not known."""
    outcome: Outcome | None
    """Against serving the teacher as it is; None when this way is not open."""
    note: str = ""
    net: NetSpread | None = None
    """Of the draws of the plan; None when nothing is drawn, or this way is not open."""
    unless: str = ""
    """What could keep it from being an alternative at all."""

    @property
    def break_even_days(self) -> float | None:
        """Days until it has paid for itself; None when never, or not open."""
        return self.outcome.break_even_days if self.outcome else None


@dataclass(frozen=True, slots=True)
class Option:
    """An alternative before it is calculated."""

    name: str
    note: str
    evaluate: Evaluate | None = None
    """Against serving the teacher as it is; None when this way is not open."""
    teacher_usd_per_day: float | None = None
    """What that costs on the first day; None when it is not known."""
    unless: str = ""


def calculated(option: Option, drawn: Mapping[str, Numbers], *, horizon_days: float) -> Alternative:
    """The alternative that an option comes to, at the middle of all figures and over the draws."""
    if option.evaluate is None:
        return Alternative(option.name, 0.0, None, None, option.note)
    outcome = Outcome.of(option.evaluate({}))
    before = option.teacher_usd_per_day
    return Alternative(
        option.name,
        outcome.run_usd,
        None if before is None else before - outcome.savings_usd_per_day,
        outcome,
        option.note,
        net_spread(option.evaluate(drawn), horizon_days=horizon_days) if drawn else None,
        option.unless,
    )


def options(inputs: PlanInputs) -> tuple[Option, ...]:
    """Doing nothing, int8 weights for the teacher, a small pretrained model, and a cascade."""
    return (
        do_nothing(_teacher_day(inputs)),
        _int8_teacher(inputs),
        _pretrained(inputs),
        _cascade(inputs),
    )


def another_way(name: str, note: str, inputs: PlanInputs, *, unless: str = "") -> Option:
    """The same serving after another run, priced by `inputs`; draws of figures that it lacks are ignored."""
    base = inputs.values()

    def evaluate(changes: Mapping[str, Numbers]) -> CashFlow:
        return student_flow({**base, **{name: value for name, value in changes.items() if name in base}})

    return Option(name, note, evaluate, _teacher_day(inputs), unless)


def do_nothing(usd_per_day: float | None) -> Option:
    """The teacher goes on as it is."""
    return Option("do nothing", "the teacher goes on serving", _nothing, usd_per_day)


def _nothing(changes: Mapping[str, Numbers]) -> CashFlow:
    draws = max((np.size(value) for value in changes.values()), default=1)
    return CashFlow(np.zeros(draws), np.zeros(draws), np.zeros((draws, 1)))


def _int8_teacher(inputs: PlanInputs) -> Option:
    name, speedup = "int8 the teacher", inputs.teacher_int8_speedup
    if inputs.teacher_usd_per_hour is None:
        return Option(name, "not open: the teacher is priced by the request")
    if speedup is None:
        return Option(name, "not priced: how much faster int8 makes it is not known")
    note = f"{speedup.value:.2g}x faster ({_origin(speedup)}); the hours of doing it are not counted"

    def savings(values: Values) -> Numbers:
        return teacher_usd_per_day(values) - teacher_usd_per_day(
            values, speedup=values["teacher_int8_speedup"]
        )

    return _option(inputs, name, note, savings)


def _pretrained(inputs: PlanInputs) -> Option:
    name, rps, rows = "fine-tune a small pretrained model", inputs.pretrained_rps, inputs.label_rows
    if rps is None or inputs.pretrained_s is None:
        return Option(name, inputs.pretrained_note or "not priced: the speed of such a model is not known")
    if rows is not None and rows.value > 0 and inputs.label_usd is None:
        return Option(name, f"not priced: {rows.value:,.0f} labels are missing; set economics.label_usd")
    labels = "with the labels at hand" if rows is None or rows.value == 0 else f"{rows.value:,.0f} labels"
    note = f"{labels}; at a speed that is {_origin(rps)}; its quality is not known, its errors not counted"

    def savings(values: Values) -> Numbers:
        serving = machines_usd_per_day(values, values["pretrained_rps"], values["student_usd_per_hour"])
        return teacher_usd_per_day(values) - serving

    return replace(_option(inputs, name, note, savings, _pretrained_run), unless="its quality falls short")


def _pretrained_run(values: Values) -> Numbers:
    hours = values["pretrained_s"] / SECONDS_PER_HOUR + given(values, "export_hours")
    return (
        given(values, "label_rows") * given(values, "label_usd")
        + hours * values["training_usd_per_hour"]
        + values["people_hours"] * values["people_usd_per_hour"]
    )


def _cascade(inputs: PlanInputs) -> Option:
    name, share = "run a cascade", inputs.cascade_share
    if share is None:
        return Option(name, "not priced: the share that goes on to the teacher is not known")
    note = (
        f"the teacher answers the {share.value:.0%} that the student is unsure of ({_origin(share)}); "
        "such requests wait for both"
    )

    def savings(values: Values) -> Numbers:
        parts = running_parts(values)
        errors = parts["errors_usd_per_day"] * values["cascade_share"]  # the teacher mends its share of them
        handed_on = teacher_usd_per_day(values, share=values["cascade_share"])
        spent = student_usd_per_day(values) + handed_on + sum(parts.values()) - errors
        return teacher_usd_per_day(values) - spent

    return _option(inputs, name, note, savings, run_total)


def _option(inputs: PlanInputs, name: str, note: str, savings: _Money, run: _Money | None = None) -> Option:
    base = inputs.values()

    def evaluate(changes: Mapping[str, Numbers]) -> CashFlow:
        values = {**base, **changes}
        return cash_flow(values, run_usd=run(values) if run else np.zeros(1), savings=savings)

    return Option(name, note, evaluate, _teacher_day(inputs))


def _teacher_day(inputs: PlanInputs) -> float:
    return float(teacher_usd_per_day(inputs.values())[0])


def _origin(figure: Figure) -> str:
    return "measured" if figure.origin is Origin.MEASURED else figure.origin.value
