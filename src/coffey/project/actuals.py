"""What a run came to, read from the results and logs that it left: money, time, latency, quality, traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffey.project.forecasts import KeptForecast
from coffey.project.reporting import kept_result
from coffey.project.wiring import FEATURES
from coffey.project.workspace import Workspace
from coffey.teacher.spending import Spent, read_spending, spending_folder

if TYPE_CHECKING:
    from coffey.traffic.volume import Volume

_HOUR_S = 3600.0

_TEACHER_PARTS = ("teacher_usd", "holdout_usd")
_TRAINING_PARTS = ("training_usd", "controls_usd")
_ARMS = ("direct", "labels_only")


@dataclass(slots=True)
class Actuals:
    """Values by the names of the forecast, where each comes from, and why others are not there."""

    values: dict[str, float] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float | None, source: str, without: str = "") -> None:
        """A value, or, where there is none, the reason."""
        if value is None:
            self.missing[name] = without
        else:
            self.values[name], self.sources[name] = value, source


def run_actuals(
    space: Workspace, done: Mapping[str, Any], foreseen: KeptForecast, volume: Volume | None
) -> Actuals:
    """Everything that is known of a finished run.

    Args:
        space: its project.
        done: what `distill` printed.
        foreseen: what was forecast of it; prices and what nobody measures (people) are taken from there.
        volume: what was served so far.

    Raises:
        StoreUnavailable: a log cannot be read.
    """
    found = Actuals()
    _add_money_and_time(found, space, done, foreseen)
    _add_latency(found, kept_result(space, "bench"), Path(done["artifact"]).name)
    _add_quality(found, done)
    rate = volume.per_day if volume else None
    span = f"{volume.days:.1f} days of traffic" if volume else "nothing was served yet"
    found.add("requests_per_day", rate, span, f"{span}; a whole day is needed")
    return found


def _add_money_and_time(
    found: Actuals, space: Workspace, done: Mapping[str, Any], foreseen: KeptForecast
) -> None:
    transfer, everything, source = _labelling(space, done["labelling"])
    nothing = "no answer was asked by this run, and what earlier ones spent was not noted"
    found.add("labelling_s", transfer.seconds if transfer else None, source, nothing)
    for stage in done["stages"]:
        found.add(f"stage_s:{stage['name']}", stage["seconds"], "all runs of the stage together")
    labelling = _usd(everything, foreseen.prices.get("teacher_usd_per_hour"))
    found.add("labelling_usd", labelling, source, nothing)
    training = _add_training(found, done, foreseen.prices.get("training_usd_per_hour"))
    if labelling is None or training is None:
        found.add("run_usd", None, "", "labelling or training has no price")
        return
    measured = sum(foreseen.run_usd.get(part, 0.0) for part in (*_TEACHER_PARTS, *_TRAINING_PARTS))
    rest = foreseen.forecast.figures["run_usd"].value - measured
    found.add("run_usd", labelling + training + rest, f"{source}; measured training; the rest as planned")


def planned_parts(foreseen: KeptForecast) -> dict[str, float]:
    """What labelling and training were to cost; empty where the plan did not say."""
    parts = {"labelling_usd": _TEACHER_PARTS, "training_usd": _TRAINING_PARTS}
    return {
        name: sum(foreseen.run_usd.get(part, 0.0) for part in of)
        for name, of in parts.items()
        if of[0] in foreseen.run_usd
    }


def _labelling(space: Workspace, labelling: Mapping[str, Any]) -> tuple[Spent | None, Spent | None, str]:
    """Transfer set, both sets together, and where that comes from.

    What was noted batch by batch counts, whichever run it was in; where nothing was noted, this run's part
    stands for the whole. Either is scaled to the answers that the run stands on.
    """
    labels, holdout = labelling["labels"], labelling["holdout"]
    noted = read_spending(spending_folder(space.store, labelling["teacher"]))
    learned, held = noted.get("transfer", Spent()), noted.get("holdout", Spent())
    if learned.texts:
        both = (learned + held).scaled(labels + holdout) + noted.get(FEATURES, Spent())
        return learned.scaled(labels), both, "spending of every run that labelled"
    asked = labelling["asked"]
    part = Spent(texts=asked, seconds=labelling["teacher_seconds"], usd=labelling["usd"])
    if not asked:
        return None, None, ""
    if asked == labels + holdout:
        first = Spent(texts=labels, seconds=labelling["transfer_teacher_seconds"])
        return first, part, "this run, which asked everything"
    source = f"scaled from the {asked:,} of {labels + holdout:,} answers that this run asked"
    return part.scaled(labels), part.scaled(labels + holdout), source


def _usd(spent: Spent | None, usd_per_hour: float | None) -> float | None:
    if spent is None or spent.usd is not None:
        return spent.usd if spent else None
    return None if usd_per_hour is None else spent.seconds / _HOUR_S * usd_per_hour


def _training_s(done: Mapping[str, Any]) -> tuple[float, float]:
    """Seconds of the stages with what their proof trained, and of the arms that only `--compare` trained."""
    proven = (done.get("proof") or {}).get("routes", ())
    known = {trained["name"] for trained in (*done["stages"], *proven)}
    arms = [arm for name, arm in (done.get("controls") or {}).items() if name in _ARMS]
    return (
        sum(trained["seconds"] for trained in (*done["stages"], *proven)),
        sum(arm["seconds"] for arm in arms if arm.get("name") not in known),
    )


def _add_training(found: Actuals, done: Mapping[str, Any], hourly: float | None) -> float | None:
    """Without what `--compare` trained: no plan foresees whether it is asked for; its price is said."""
    if hourly is None:
        found.add("training_usd", None, "", "no price of training")
        return None
    usd, beside = (seconds / _HOUR_S * hourly for seconds in _training_s(done))
    source = "measured seconds at the planned price"
    more = f"; without the {beside:.2g} USD of --compare, which no plan foresees" if beside else ""
    found.add("training_usd", usd, source + more)
    return usd


def _add_latency(found: Actuals, bench: Mapping[str, Any] | None, artifact: str) -> None:
    this = bench if bench is not None and Path(bench["artifact"]).name == artifact else None
    latency = this["latency"] if this else {}
    without = "coffey bench has not timed this student"
    for name in ("teacher_p50_ms", "student_p50_ms"):
        found.add(name, latency.get(name), "coffey bench, in process", without)
    rate = this["max_rps_within_slo"] if this else None
    found.add("student_rps", rate or None, "coffey bench", without if this is None else "no rate held p99")


def _add_quality(found: Actuals, done: Mapping[str, Any]) -> None:
    for measure in ("retention", "agreement"):
        shipped = done["student"][measure]
        found.add(
            measure, shipped and shipped["value"], "the artifact, on the holdout", "no label in the holdout"
        )
        for stage in done["stages"]:
            reached = stage["quality"][measure]
            found.add(f"{measure}:{stage['name']}", reached and reached["value"], "the stage, on the holdout")
