"""The sentences and tiles at the top of a report, put together from what the result holds."""

from __future__ import annotations

from coffey.core.records import Interval, JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Tile, Tone
from coffey.dashboard.reading import ACCURACY, estimate, flag, measure_name, number, obj, part, words

GAP = "\N{NO-BREAK SPACE}"


def clauses(*found: str | None) -> str:
    """The clauses that exist, as one sentence.

    >>> clauses("it is small", None, "it is fast")
    'It is small; it is fast.'
    """
    joined = "; ".join(clause for clause in found if clause)
    return f"{joined[0].upper()}{joined[1:]}." if joined else ""


def smaller_and_faster(result: JsonObject) -> str | None:
    """How much smaller and faster the student is."""
    size, speed = number(result, "params_ratio"), number(result, "latency_ratio")
    parts = [
        None if size is None else f"{figures.ratio(size)} smaller",
        None if speed is None else f"{figures.ratio(speed)} faster",
    ]
    known = [part for part in parts if part]
    return f"the student is {' and '.join(known)} than the teacher" if known else None


def keeps(result: JsonObject) -> str | None:
    """How much of the teacher's quality the student keeps."""
    retention = estimate(result, "student", "retention")
    if retention is not None:
        return f"it keeps {_percent(retention)} of the teacher's {measure_name(result)}"
    agreement = estimate(result, "student", "agreement")
    if agreement is None:
        return None
    if measure_name(result) != ACCURACY:
        return f"its agreement with the teacher is {_percent(agreement)} ({measure_name(result)})"
    return f"it agrees with the teacher on {_percent(agreement)} of the inputs"


def pays_back(plan: JsonObject) -> str | None:
    """Whether and when the run pays back."""
    if flag(plan, "pays") is False:
        return "it does not pay at this price and traffic"
    even = number(plan, "break_even_days")
    return None if even is None else f"the run pays back in {figures.days(even)}"


def repaired(result: JsonObject) -> str | None:
    """What drift did and what re-distilling mended."""
    ends = [_end(result, name) for name in ("before", "after")]
    if ends[0] is None or ends[1] is None:
        return None
    before, after = figures.share(ends[0]), figures.share(ends[1])
    verb = "brought" if ends[1] > ends[0] else "left"
    return f"after drift, re-distilling {verb} agreement from {before} to {after}"


def size_tile(result: JsonObject) -> Tile | None:
    """How many times fewer parameters."""
    found = number(result, "params_ratio")
    ends = [number(result, who, "params") for who in ("teacher", "student")]
    if found is None:
        return None
    shown = [figures.count(end) for end in ends if end is not None]
    note = f"{' → '.join(shown)} parameters" if len(shown) == 2 else "in parameters"
    return Tile("Smaller", figures.ratio(found), note)


def speed_tile(result: JsonObject) -> Tile | None:
    """How many times lower the median latency is."""
    found = number(result, "latency_ratio")
    if found is None:
        return None
    ends = [number(result, "latency", f"{who}_p50_ms") for who in ("teacher", "student")]
    shown = [figures.milliseconds(end) for end in ends if end is not None]
    note = f"p50 {' → '.join(shown)}" if len(shown) == 2 else "p50 of one request"
    return Tile("Faster", figures.ratio(found), note)


def quality_tile(result: JsonObject) -> Tile | None:
    """Retention, or agreement where the holdout has no labels."""
    measure = measure_name(result)
    for key, label, note in (
        ("retention", "Quality kept", f"student {measure} ÷ teacher {measure}"),
        ("agreement", "Agreement", "with the teacher, on the holdout"),
    ):
        found = estimate(result, "student", key)
        if found is not None:
            bounds = f"95{GAP}%: {figures.share(found.low)} to {figures.share(found.high)}"
            return Tile(label, figures.share(found.value), f"{note}; {bounds}")
    return None


def pays_tile(plan: JsonObject, *, noted: bool = True) -> Tile | None:
    """The break-even day, with cost and saving beside it unless they have tiles of their own."""
    if flag(plan, "pays") is None and number(plan, "break_even_days") is None:
        return None
    tone: Tone = "bad" if flag(plan, "pays") is False else "good"
    run, saves = number(plan, "run_usd"), number(plan, "savings_usd_per_day")
    parts = [
        None if run is None else f"{figures.usd(run)} once",
        None if saves is None else f"{figures.usd(saves)} saved a day",
    ]
    note = ", ".join(part for part in parts if part) if noted else ""
    return Tile("Breaks even", figures.days(number(plan, "break_even_days")), note, tone)


def drift_tile(result: JsonObject) -> Tile | None:
    """Agreement after the repair."""
    before, after = _end(result, "before"), _end(result, "after")
    if before is None or after is None:
        return None
    tone: Tone = "good" if after > before else "bad"
    return Tile(
        "After drift", figures.share(after), f"agreement, {figures.share(before)} before the repair", tone
    )


def machine_facts(result: JsonObject) -> list[tuple[str, str]]:
    """Machine, duration and time, for the line under the verdict."""
    machine = obj(result, "machine")
    cores = number(machine, "cores")
    parts = [
        words(machine, "cpu"),
        "" if cores is None else f"{cores:.0f} cores",
        words(machine, "accelerator"),
    ]
    spent = number(result, "seconds")
    facts = [
        ("Machine", ", ".join(part for part in parts if part)),
        ("Took", "" if spent is None else figures.seconds(spent)),
        ("Made", figures.moment(words(result, "time"))),
    ]
    return [(name, value) for name, value in facts if value]


def maker_facts(result: JsonObject) -> list[tuple[str, str]]:
    """Command, the whole machine and the versions, for the end of the page."""
    memory = number(result, "machine", "memory_gib")
    machine = [
        ("command", words(result, "command")),
        ("memory", "" if memory is None else f"{memory:.1f} GiB"),
        ("system", words(result, "machine", "system")),
        ("python", words(result, "machine", "python")),
    ]
    versions = [(str(name), str(value)) for name, value in obj(result, "versions").items() if value]
    return [(name, value) for name, value in [*machine, *versions] if value]


def _percent(found: Interval) -> str:
    value, low, high = (figures.percent(x).removesuffix(" %") for x in (found.value, found.low, found.high))
    return f"{value}{GAP}% ({low}{GAP}to{GAP}{high}{GAP}%)"


def _end(result: JsonObject, name: str) -> float | None:
    found = part(result, "redistilled", name)
    interval = estimate({"it": found}, "it") or estimate({"it": found}, "it", "agreement")
    return interval.value if interval else None
