"""The stages' proof: which earned their place, against what, and what ships therefore."""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard.page import Section, Table
from coffey.dashboard.reading import flag, rows, words


def proof_section(result: JsonObject) -> Section | None:
    """A row a decision, and in the lead what ships; nothing where nothing was proven."""
    decisions = rows(result, "proof", "decisions")
    if not decisions:
        return None
    lead = (
        "A stage is kept only if the last student is better with it than without it, at equal compute, on "
        f"rows that neither trained nor chose anything. What ships: the {words(result, 'proof', 'shipped')}."
    )
    advice = words(result, "proof", "advice")
    table = Table(
        ("stage", "decision", "why"),
        [_row(one) for one in decisions],
        caption="Stages before the last",
        text_columns=frozenset({0, 1, 2}),
    )
    return Section("Do the stages pay?", f"{lead} {advice}".strip(), [table])


def _row(decision: JsonObject) -> tuple[str, ...]:
    return (
        words(decision, "stage"),
        "kept" if flag(decision, "kept") else "dropped",
        words(decision, "reason"),
    )
