"""Money: what was saved so far, when it breaks even, forecast beside actual, and prices per 1,000."""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures, headline
from coffey.dashboard.live.pages.empty import empty
from coffey.dashboard.page import Block, Facts, Note, Page, Section, Tile, Tone
from coffey.dashboard.reading import flag, number, obj, words
from coffey.dashboard.sections.frontier import frontier_section
from coffey.dashboard.sections.money import money_section
from coffey.dashboard.sections.outcome import forecast_section

TITLE = "Money"


def money_page(found: JsonObject) -> Page:
    """Savings so far first, then the plan that they are held against."""
    plan, saved = obj(found, "plan"), obj(found, "saved")
    if not plan:
        return empty(
            TITLE,
            "Nothing is planned yet.",
            "Run `coffey plan`: it works out when the student pays for itself, and this page follows it.",
        )
    sections = (
        _so_far(saved),
        forecast_section(found),
        money_section(plan),
        frontier_section(plan),
    )
    return Page(
        kind=TITLE,
        name=TITLE,
        verdict=_verdict(plan, saved),
        tone=_tone(plan, saved),
        tiles=[tile for tile in _tiles(plan, saved) if tile],
        sections=[section for section in sections if section],
    )


def _verdict(plan: JsonObject, saved: JsonObject) -> str:
    net, usd_per_day = number(saved, "net_usd"), number(saved, "usd_per_day")
    if net is None or usd_per_day is None:
        return headline.clauses(headline.pays_back(plan))
    if net >= 0:
        return f"The run has paid for itself: {figures.usd(net)} are left so far."
    left = figures.days(number(saved, "days_left"))
    if left == "never":
        return (
            f"At the traffic so far it never pays for itself: a day of it saves {figures.usd(usd_per_day)}."
        )
    return f"{figures.usd(-net)} are still to be earned back: {left} at the traffic so far."


def _tone(plan: JsonObject, saved: JsonObject) -> Tone:
    if number(saved, "net_usd") is not None:
        return "warn" if number(saved, "days_left") is None else "good"
    return "bad" if flag(plan, "pays") is False else "good"


def _tiles(plan: JsonObject, saved: JsonObject) -> tuple[Tile | None, ...]:
    so_far, net, rate = (number(saved, key) for key in ("saved_usd", "net_usd", "usd_per_day"))
    run = number(saved, "run_usd")
    return (
        None
        if so_far is None or rate is None
        else Tile("Saved so far", figures.usd(so_far), f"{figures.usd(rate)} a day at the traffic so far"),
        None
        if net is None or run is None
        else Tile("Net", figures.usd(net), f"less {figures.usd(run)} once", "good" if net >= 0 else "plain"),
        headline.pays_tile(plan),
        _per_1k(plan, "teacher"),
        _per_1k(plan, "student"),
    )


def _per_1k(plan: JsonObject, who: str) -> Tile | None:
    usd = number(plan, "costs", who, "usd_per_1k")
    note = words(plan, "costs", who, "note") or "requests, at the planned traffic"
    return None if usd is None else Tile(f"{who.capitalize()}, per 1,000", figures.usd(usd), note)


def _so_far(saved: JsonObject) -> Section | None:
    """What the savings so far rest on."""
    if not saved:
        note = Note("Nothing was served yet. Savings are counted from the first request of a champion.")
        return Section("Saved so far", "", [note])
    facts = Facts(
        [
            ("requests in the log", f"{number(saved, 'requests') or 0:,.0f}"),
            ("from", figures.moment(words(saved, "first"))),
            ("to", figures.moment(words(saved, "last"))),
            ("rate", f"{figures.count(number(saved, 'requests_per_day') or 0.0)} a day"),
            ("in service", figures.days(number(saved, "days"))),
            (
                "cost of the run",
                f"{figures.measured(number(saved, 'run_usd'), 'USD')}, {words(saved, 'run_origin')}",
            ),
        ]
    )
    blocks: list[Block] = [facts]
    return Section(
        "Saved so far",
        "The plan's prices at the traffic that was served, from the first promotion to the last request. "
        "Machines are counted by the day, whether they are busy or not.",
        blocks,
    )
