"""Money: when the run has paid for itself, and what that rests on."""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Block, Note, Section
from coffey.dashboard.reading import items, words
from coffey.dashboard.sections.money_charts import DAYS, NET, savings_curve, sensitivity_chart
from coffey.dashboard.sections.money_tables import alternatives_table, answers, costs_table, origins_table


def money_section(plan: JsonObject) -> Section | None:
    """The break-even curve, costs, alternatives, what the answer depends on, the origin of every figure."""
    found = (
        savings_curve(plan),
        answers(plan),
        costs_table(plan),
        alternatives_table(plan),
        sensitivity_chart(plan, NET),
        sensitivity_chart(plan, DAYS),
        origins_table(plan),
    )
    notes = [Note(figures.short(str(note), 400)) for note in items(plan, "notes") if isinstance(note, str)]
    blocks: list[Block] = [*notes, *(block for block in found if block is not None)]
    if not blocks:
        return None
    return Section("Does it pay?", words(plan, "verdict"), blocks)
