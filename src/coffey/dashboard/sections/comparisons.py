"""The control arms: did the chain, and the teacher's answers, earn their place?"""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Section, Table, filled
from coffey.dashboard.reading import estimate, number, rows, words
from coffey.dashboard.sections.chain import controls, measure_of


def comparisons_section(result: JsonObject) -> Section | None:
    """Paired differences with their verdicts, and the controls themselves."""
    arms = controls(result)
    compared = rows(result, "controls", "comparisons")
    blocks = [*([_compared(compared)] if compared else []), *([_arms(arms)] if arms else [])]
    if not blocks:
        return None
    lead = "The same student made in other ways, each at the compute of the whole chain."
    return Section("Controls", lead, blocks)


def _compared(compared: list[JsonObject]) -> Table:
    body = [
        (
            words(one, "name"),
            figures.interval(found) if (found := estimate(one, "difference")) else figures.ABSENT,
            words(one, "verdict"),
        )
        for one in compared
    ]
    return Table(
        ("comparison", "difference", "verdict"),
        body,
        caption="Paired differences on the same examples",
        text_columns=frozenset({0, 2}),
    )


def _arms(arms: list[JsonObject]) -> Table:
    measure = measure_of(arms)
    body = [
        (
            words(arm, "name"),
            figures.measured(number(arm, "params"), "params"),
            figures.interval(found)
            if measure and (found := estimate(arm, "quality", measure))
            else figures.ABSENT,
            figures.measured(number(arm, "steps"), ""),
            figures.measured(number(arm, "seconds"), "s"),
        )
        for arm in arms
    ]
    return filled(
        Table(("control", "params", measure or "quality", "steps", "time"), body, caption="Control arms")
    )
