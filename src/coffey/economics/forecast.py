"""What the plan says will happen, kept to be held against what did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coffey.core.records import Figure, JsonObject, Origin
from coffey.economics.inputs import PlanInputs, StageCost
from coffey.economics.run_cost import labelling_s, run_cost, stage_s


@dataclass(frozen=True, slots=True)
class Forecast:
    """Figures by name: `labelling_s`, `stage_s:NAME`, `teacher_p50_ms`, `student_p50_ms`, `run_usd`."""

    figures: Mapping[str, Figure]

    def to_json(self) -> JsonObject:
        """Plain values, read back by `from_json`."""
        return {
            name: {
                "value": f.value,
                "unit": f.unit,
                "origin": f.origin.value,
                "note": f.note,
                "modelled": f.modelled,
            }
            for name, f in self.figures.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Mapping[str, object]]) -> Forecast:
        """What `to_json` wrote.

        Raises:
            KeyError: a field is missing.
            ValueError: a value is not a number, or an origin is unknown.
        """
        return cls(
            {
                name: Figure(
                    float(str(row["value"])),
                    str(row["unit"]),
                    Origin(row["origin"]),
                    str(row["note"]),
                    modelled=bool(row.get("modelled", False)),
                )
                for name, row in values.items()
            }
        )


def forecast(inputs: PlanInputs) -> Forecast:
    """Seconds, latencies and USD of the run that `inputs` describe; what nothing is known of is left out."""
    latencies = {"teacher_p50_ms": inputs.teacher_p50_ms, "student_p50_ms": inputs.student_p50_ms}
    found = {
        **_labelling(inputs),
        **{f"stage_s:{stage.name}": _training(stage) for stage in inputs.stages},
        **{name: latency for name, latency in latencies.items() if latency is not None},
    }
    note = "labelling, training, control arms, export and people"
    return Forecast({**found, "run_usd": Figure(run_cost(inputs).total_usd, "USD", _weakest(found), note)})


def _labelling(inputs: PlanInputs) -> dict[str, Figure]:
    seconds = labelling_s(inputs, inputs.transfer_rows.value)
    if seconds is None or inputs.teacher_texts_per_s is None:
        return {}
    origin = inputs.teacher_texts_per_s.origin
    return {"labelling_s": Figure(seconds, "s", origin, "transfer rows / teacher texts a second")}


def _training(stage: StageCost) -> Figure:
    return Figure(stage_s(stage), "s", stage.step_s.origin, "steps x seconds a step, at most")


def _weakest(figures: Mapping[str, Figure]) -> Origin:
    origins = {figure.origin for figure in figures.values()}
    return Origin.ASSUMED if Origin.ASSUMED in origins or not origins else Origin.MEASURED
