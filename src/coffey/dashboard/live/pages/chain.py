"""The chain: from teacher to student, stage by stage, with its controls."""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures, headline
from coffey.dashboard.live.pages.empty import empty
from coffey.dashboard.page import Flow, Page, Section, Step, Tone
from coffey.dashboard.reading import estimate, flag, items, number, obj, rows, words
from coffey.dashboard.sections.chain import chain_section, measure_of
from coffey.dashboard.sections.comparisons import comparisons_section
from coffey.dashboard.sections.data import data_section, gate_section
from coffey.dashboard.sections.proof import proof_section

TITLE = "Chain"


def chain_page(found: JsonObject) -> Page:
    """The last distillation, as a flow first, and what it was repaired to since."""
    made = obj(found, "distill")
    if not made:
        return empty(
            TITLE,
            "No student was made yet.",
            "Run `coffey distill`: it asks the teacher, trains the stages, and proves what ships.",
        )
    passed = flag(made, "gate", "passed")
    tone: Tone = "plain" if passed is None else "good" if passed else "bad"
    sections = (
        _flow(made, rows(found, "repairs")),
        chain_section(made),
        proof_section(made),
        comparisons_section(made),
        gate_section(made),
        data_section(made),
    )
    tiles = (headline.size_tile(made), headline.quality_tile(made), headline.speed_tile(made))
    return Page(
        kind=TITLE,
        name=TITLE,
        verdict=headline.clauses(
            headline.smaller_and_faster(made),
            headline.keeps(made),
            None if passed is None else "it passed the gate" if passed else "the gate refused it",
        ),
        tone=tone,
        meta=headline.machine_facts(made),
        tiles=[tile for tile in tiles if tile],
        sections=[section for section in sections if section],
    )


def _flow(made: JsonObject, repairs: list[JsonObject]) -> Section:
    stages = rows(made, "stages")
    measure = measure_of(stages)
    steps = [_teacher(obj(made, "teacher")), *(_stage(stage, measure) for stage in stages)]
    steps += [_shipped(made), *map(_repair, repairs)]
    lead = "What taught what. Quality is measured on the holdout, after a repair on fresh requests."
    return Section("From teacher to student", lead, [Flow("From teacher to student", steps)])


def _teacher(teacher: JsonObject) -> Step:
    facts = [("parameters", figures.measured(number(teacher, "params"), "params"))]
    return Step("teacher", words(teacher, "name"), _known(facts))


def _stage(stage: JsonObject, measure: str | None) -> Step:
    quality = estimate(stage, "quality", measure) if measure else None
    facts = [
        ("parameters", figures.measured(number(stage, "params"), "params")),
        (measure or "quality", figures.interval(quality) if quality else ""),
        ("p50", figures.measured(number(stage, "p50_ms"), "ms")),
        ("taught by", ", ".join(str(name) for name in items(stage, "taught_by"))),
    ]
    given_up = bool(flag(stage, "hopeless"))
    return Step(
        "stage, given up" if given_up else "stage",
        words(stage, "name"),
        _known(facts),
        "warn" if given_up else "plain",
    )


def _shipped(made: JsonObject) -> Step:
    student = obj(made, "student")
    quality = estimate(student, "retention") or estimate(student, "agreement")
    named = "retention" if estimate(student, "retention") else "agreement"
    facts = [
        ("parameters", figures.measured(number(student, "params"), "params")),
        (named, figures.interval(quality) if quality else ""),
        ("size", figures.measured(number(student, "bytes"), "bytes")),
        ("p50", figures.measured(number(made, "latency", "student_p50_ms"), "ms")),
    ]
    passed = flag(made, "gate", "passed")
    kind = "ships" if passed else "refused by the gate" if passed is False else "student"
    tone: Tone = "good" if passed else "bad" if passed is False else "plain"
    name = f"{words(student, 'name')} {words(student, 'variant')}".strip()
    return Step(kind, name or "student", _known(facts), tone)


def _repair(version: JsonObject) -> Step:
    promised = estimate(version, "promised")
    facts = [
        ("agreement", figures.interval(promised) if promised else ""),
        ("measured on", words(version, "measured_on")),
        ("from", words(version, "previous")),
        ("made", figures.moment(words(version, "created"))),
    ]
    return Step("re-distilled", words(version, "name"), _known(facts))


def _known(facts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in facts if value and value != figures.ABSENT]
