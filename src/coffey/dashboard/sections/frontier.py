"""Which student: every candidate's latency, quality and price, against the budget and each other."""

from __future__ import annotations

from collections.abc import Sequence

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.candidate_words import (
    breaks_even,
    latency,
    left_name,
    measure_of,
    name_of,
    quality_name,
    quality_of,
    standing_of,
)
from coffey.dashboard.page import Block, Drawing, Facts, Section, Table, filled
from coffey.dashboard.reading import flag, number, obj, rows, words
from coffey.dashboard.sections.frontier_chart import frontier_chart


def frontier_section(result: JsonObject) -> Section | None:
    """The candidates of `result["frontier"]`: to explore, as figures, and why each is or is not the one."""
    found = obj(result, "frontier")
    candidates = [one for one in rows(found, "candidates") if words(one, "name")]
    if not candidates:
        return None
    chart = frontier_chart(found, candidates)
    reasons = [(name_of(one), words(one, "reason")) for one in candidates if words(one, "reason")]
    blocks: list[Block] = [Drawing(chart)] if chart else []
    blocks.append(_table(candidates))
    if reasons:
        blocks.append(Facts(reasons, wide=True))
    return Section("Which student?", words(found, "verdict"), blocks)


def _table(candidates: Sequence[JsonObject]) -> Table:
    measure = measure_of(candidates)
    origins = {_origin(one) for one in candidates}
    alike = f"p99 ({origins.pop()})" if len(origins) == 1 else ""
    columns = (
        "student",
        "budget",
        quality_name(candidates),
        alike or "p99",
        "p99 is",
        "USD per 1,000",
        "run",
        left_name(candidates[0]),
        "breaks even",
    )
    table = Table(
        columns,
        [_row(one, measure, "" if alike else _origin(one)) for one in candidates],
        caption="Candidates, in the order of the chain",
        text_columns=frozenset({0, 1, 4}),
        tight_columns=frozenset({0, 1, 4}),
        strong_rows=frozenset(place for place, one in enumerate(candidates) if flag(one, "recommended")),
    )
    return filled(table)


def _origin(one: JsonObject) -> str:
    return words(one, "p99_ms", "origin").removesuffix(" here") or figures.ABSENT


def _row(one: JsonObject, measure: str | None, origin: str) -> tuple[str, ...]:
    quality = quality_of(one, measure)
    return (
        name_of(one),
        standing_of(one),
        figures.interval(quality) if quality else figures.ABSENT,
        latency(one),
        origin,
        figures.measured(number(one, "usd_per_1k"), "USD"),
        figures.measured(number(one, "run_usd"), "USD"),
        figures.measured(number(one, "net_usd_over_horizon"), "USD"),
        breaks_even(one),
    )
