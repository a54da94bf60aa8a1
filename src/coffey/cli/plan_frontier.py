"""The part of `coffey plan` that says which student: the verdict, the candidates, and why not the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from coffey.cli.drawing import facts, figure_table
from coffey.dashboard import figures
from coffey.dashboard.candidate_words import label_of, left_name, measure_of, quality_of, standing_of
from coffey.dashboard.reading import flag, number, rows, words

if TYPE_CHECKING:
    from coffey.core.records import JsonObject


def draw(frontier: dict[str, Any]) -> RenderableType:
    """The candidates of `frontier` in a plan's JSON; nothing where there is none.

    The table keeps to 80 columns: ranges and the price of the run are told in the sentences around it.
    """
    candidates = rows(frontier, "candidates")
    if not candidates:
        return Group()
    others = [one for one in candidates if not flag(one, "recommended")]
    return Group(
        Text(words(frontier, "verdict"), style="bold"),
        Text(),
        _table(candidates),
        Text(),
        facts((label_of(one), words(one, "reason")) for one in others),
    )


def _table(candidates: Sequence[JsonObject]) -> Table:
    measure = measure_of(candidates)
    return figure_table(
        ("student", "budget", measure or "quality", "p99", "per 1,000", left_name(candidates[0])),
        [_row(one, measure) for one in candidates],
        words=frozenset({0, 1}),
        strong=frozenset(place for place, one in enumerate(candidates) if flag(one, "recommended")),
    )


def _row(one: JsonObject, measure: str | None) -> tuple[str, ...]:
    quality = quality_of(one, measure)
    return (
        label_of(one),
        standing_of(one),
        figures.share(quality.value) if quality else figures.ABSENT,
        figures.measured(number(one, "p99_ms", "value"), "ms"),
        figures.measured(number(one, "usd_per_1k"), "USD"),
        figures.measured(number(one, "net_usd_over_horizon"), "USD"),
    )
