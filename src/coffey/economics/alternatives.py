"""What could be done instead, priced the same way."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.core.records import Origin
from coffey.economics.break_even import Outcome
from coffey.economics.inputs import PlanInputs
from coffey.economics.serving import teacher_serving


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

    @property
    def break_even_days(self) -> float | None:
        """Days until it has paid for itself; None when never, or not open."""
        return self.outcome.break_even_days if self.outcome else None


def alternatives(inputs: PlanInputs) -> tuple[Alternative, ...]:
    """Doing nothing, and int8 weights for the teacher."""
    return (do_nothing(teacher_serving(inputs).usd_per_day), _int8_teacher(inputs))


def do_nothing(usd_per_day: float | None) -> Alternative:
    """The teacher goes on as it is."""
    return Alternative("do nothing", 0.0, usd_per_day, Outcome(0.0, 0.0), "the teacher goes on serving")


def _int8_teacher(inputs: PlanInputs) -> Alternative:
    name = "int8 the teacher"
    speedup = inputs.teacher_int8_speedup
    if inputs.teacher_usd_per_hour is None:
        return Alternative(name, 0.0, None, None, "not open: the teacher is priced by the request")
    if speedup is None:
        return Alternative(name, 0.0, None, None, "not priced: how much faster int8 makes it is not known")
    before = teacher_serving(inputs).usd_per_day
    after = teacher_serving(inputs, speedup=speedup.value).usd_per_day
    origin = "measured" if speedup.origin is Origin.MEASURED else speedup.origin.value
    note = f"{speedup.value:.2g}x faster ({origin}); the hours of doing it are not counted"
    return Alternative(name, 0.0, after, Outcome(0.0, before - after), note)
