"""Latency: distributions, p99 against rate, and fewer parameters beside faster answers."""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures, headline
from coffey.dashboard.live.pages.empty import empty
from coffey.dashboard.page import Page, Tile
from coffey.dashboard.reading import flag, number, obj, words
from coffey.dashboard.sections.latency import latency_section

TITLE = "Latency"


def latency_page(found: JsonObject) -> Page:
    """The last bench."""
    timed = obj(found, "bench")
    section = latency_section(timed)
    if section is None:
        return empty(
            TITLE,
            "Nothing was timed yet.",
            "Run `coffey bench`: it times the student through the server, teacher beside it.",
        )
    within = flag(timed, "within_budget")
    return Page(
        kind=TITLE,
        name=TITLE,
        verdict=words(timed, "verdict") or headline.clauses(headline.smaller_and_faster(timed)),
        tone="plain" if within is None else "good" if within else "bad",
        meta=headline.machine_facts(timed),
        tiles=[
            tile
            for tile in (headline.size_tile(timed), headline.speed_tile(timed), _p99(timed), _carries(timed))
            if tile
        ],
        sections=[section],
        facts=headline.maker_facts(timed),
    )


def _p99(timed: JsonObject) -> Tile | None:
    p99, budget = number(timed, "latency", "student_p99_ms"), number(timed, "slo", "budget_ms")
    if p99 is None:
        return None
    note = "of one request" if budget is None else f"of one request; budget {figures.milliseconds(budget)}"
    return Tile("Student p99", figures.milliseconds(p99), note, "bad" if budget and p99 > budget else "plain")


def _carries(timed: JsonObject) -> Tile | None:
    most = number(timed, "slo", "max_rps")
    return None if most is None else Tile("Within budget", figures.rate(most), "highest rate whose p99 held")
