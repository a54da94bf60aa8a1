"""One report a command, drawn from the JSON object that the command prints, so at any later time too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from coffey.core.records import JsonObject
from coffey.dashboard import figures, headline
from coffey.dashboard.page import Page, Section, Tile, Tone, render
from coffey.dashboard.plain import plain
from coffey.dashboard.reading import flag, number, obj, rows, words
from coffey.dashboard.sections.chain import chain_section
from coffey.dashboard.sections.comparisons import comparisons_section
from coffey.dashboard.sections.data import data_section, gate_section
from coffey.dashboard.sections.frontier import frontier_section
from coffey.dashboard.sections.latency import latency_section
from coffey.dashboard.sections.money import money_section
from coffey.dashboard.sections.notes import notes_section
from coffey.dashboard.sections.outcome import forecast_section, outcome_section
from coffey.dashboard.sections.proof import proof_section
from coffey.dashboard.sections.watch import watch_section

Builder = Callable[[JsonObject], Section | None]


def plan_report(plan: Mapping[str, object]) -> str:
    """The page of a plan as HTML.

    Raises:
        MissingExtra: jinja2 is not installed (as do the other reports).
    """
    return render(plan_page(plan))


def distill_report(result: Mapping[str, object]) -> str:
    """The page of a distillation as HTML."""
    return render(distill_page(result))


def bench_report(result: Mapping[str, object]) -> str:
    """The page of a benchmark as HTML."""
    return render(bench_page(result))


def plan_page(plan: Mapping[str, object]) -> Page:
    """A plan: verdict, break-even curve, costs, alternatives, sensitivity, origins."""
    result = _plain(plan)
    verdict = words(result, "verdict") or headline.clauses(headline.pays_back(result))
    saved, run = number(result, "savings_usd_per_day"), number(result, "run_usd")
    tiles = (
        headline.pays_tile(result, noted=False),
        None if run is None else Tile("Cost of the run", figures.usd(run)),
        None if saved is None else Tile("Saved a day", figures.usd(saved)),
        _range_tile(result),
        _chance_tile(result),
        _net_tile(result),
    )
    tone: Tone = "bad" if flag(result, "pays") is False else "good" if flag(result, "pays") else "plain"
    return _page("Plan", {**result, "verdict": ""}, verdict, tone, tiles, (money_section, frontier_section))


def _candidates(whole: JsonObject) -> Section | None:
    """The candidates beside a run: only where their quality was foreseen, since the run's own is known."""
    plan = obj(whole, "plan")
    known = any(row.get("quality") for row in rows(plan, "frontier", "candidates"))
    return frontier_section(plan) if known else None


def distill_page(result: Mapping[str, object]) -> Page:
    """A distillation: the chain, the controls, the gate, the data."""
    result = _plain(result)
    passed = flag(result, "gate", "passed")
    verdict = headline.clauses(
        headline.smaller_and_faster(result),
        headline.keeps(result),
        None if passed is None else "it passed the gate" if passed else "the gate refused it",
    )
    tiles = (
        headline.size_tile(result),
        headline.quality_tile(result),
        _weight_tile(result),
        _gate_tile(passed),
    )
    tone: Tone = "plain" if passed is None else "good" if passed else "bad"
    builders = (
        outcome_section,
        chain_section,
        proof_section,
        notes_section,
        comparisons_section,
        gate_section,
        data_section,
    )
    return _page("Distillation", result, verdict, tone, tiles, builders)


def bench_page(result: Mapping[str, object]) -> Page:
    """A benchmark: distributions, load, what was timed."""
    result = _plain(result)
    most = number(result, "max_rps_within_slo")
    most = number(result, "slo", "max_rps") if most is None else most
    budget = number(result, "slo", "budget_ms")
    within = "" if budget is None else f" within a p99 of {figures.measured(budget, '')} ms"
    carried = None if most is None else f"it answers {figures.rate(most)}{within}"
    verdict = headline.clauses(headline.smaller_and_faster(result), carried)
    tiles = (
        headline.speed_tile(result),
        headline.size_tile(result),
        None if most is None else Tile("Within budget", figures.rate(most), within.strip()),
    )
    return _page("Benchmark", result, verdict, "plain", tiles, (latency_section, outcome_section))


def demo_report(result: Mapping[str, object]) -> str:
    """The whole loop as an HTML page. A part that is missing from `result` is left out."""
    result = _plain(result)
    plan = obj(result, "plan")
    verdict = headline.clauses(
        headline.smaller_and_faster(result),
        headline.keeps(result),
        headline.pays_back(plan),
        headline.repaired(result),
    )
    tiles = (
        headline.size_tile(result),
        headline.speed_tile(result),
        headline.quality_tile(result),
        headline.pays_tile(plan),
        headline.drift_tile(result),
        _load_tile(result),
    )
    builders: tuple[Builder, ...] = (
        outcome_section,
        chain_section,
        proof_section,
        notes_section,
        comparisons_section,
        latency_section,
        lambda whole: money_section(obj(whole, "plan")),
        _candidates,
        watch_section,
        forecast_section,
        gate_section,
        data_section,
    )
    return render(_page("The loop", result, verdict, "plain", tiles, builders))


def _page(
    kind: str,
    result: JsonObject,
    verdict: str,
    tone: Tone,
    tiles: tuple[Tile | None, ...],
    builders: tuple[Builder, ...],
) -> Page:
    sections = [section for build in builders if (section := build(result))]
    return Page(
        kind=kind,
        name=words(result, "name") or words(result, "teacher", "name") or kind,
        verdict=verdict,
        tone=tone,
        meta=headline.machine_facts(result),
        tiles=[tile for tile in tiles if tile],
        sections=sections,
        facts=headline.maker_facts(result),
    )


def _plain(result: Mapping[str, object]) -> JsonObject:
    return cast(JsonObject, plain(result))


def _range_tile(plan: JsonObject) -> Tile | None:
    low, high = number(plan, "break_even", "p10"), number(plan, "break_even", "p90")
    if low is None:
        return None
    first, last = figures.days(low), figures.days(high)
    shared = first[0].isdigit() and first.split(" ")[1:] == last.split(" ")[1:]
    likely = f"{first.split(' ')[0]} to {last}" if shared and first != last else figures.span(first, last)
    return Tile("Likely range", likely, "10 % to 90 % of the draws")


def _net_tile(plan: JsonObject) -> Tile | None:
    net, horizon = number(plan, "savings_usd_over_horizon"), number(plan, "horizon_days")
    low, high = number(plan, "net_value", "p10"), number(plan, "net_value", "p90")
    if net is None or horizon is None:
        return None
    after = f"after {figures.days(horizon)}"
    if low is not None and high is not None:
        after += f", likely {figures.span(figures.usd(low), figures.usd(high))}"
    return Tile("Net value", figures.usd(net), after)


def _chance_tile(plan: JsonObject) -> Tile | None:
    never = number(plan, "never_probability")
    if never is None:
        return None
    within = f"within {figures.days(number(plan, 'horizon_days'))}"
    return Tile("Chance that it pays", figures.chance(1.0 - never), within)


def _weight_tile(result: JsonObject) -> Tile | None:
    found = number(result, "student", "bytes")
    return (
        None
        if found is None
        else Tile("Size on disk", figures.size(found), words(result, "student", "variant"))
    )


def _gate_tile(passed: bool | None) -> Tile | None:
    if passed is None:
        return None
    return Tile("Gate", "passed" if passed else "refused", "", "good" if passed else "bad")


def _load_tile(result: JsonObject) -> Tile | None:
    most, budget = number(result, "slo", "max_rps"), number(result, "slo", "budget_ms")
    if most is None:
        return None
    note = "" if budget is None else f"at a p99 within {figures.measured(budget, '')} ms"
    return Tile("Carries", figures.rate(most), note)
