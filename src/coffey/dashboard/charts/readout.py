"""The figures of one point, in a strip under the plot: a title and a grid of names and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffey.dashboard.charts.frame import CHARACTER_PX, text_width
from coffey.dashboard.charts.markup import Html, join, tag, text

TITLE_PX, ROW_PX, PAD_PX = 26.0, 38.0, 12.0
COLUMN_PX = 155.0
"""Least width of a column; the widest value, a share with its interval, needs about this."""
MOST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Readout:
    """What is said of one point."""

    title: str
    note: str
    """A few words after the title."""
    facts: Sequence[tuple[str, str]]
    tone: str = ""


def readout_height(readouts: Sequence[Readout], width: float) -> float:
    """Height (px) of the strip that holds any one of them."""
    most = max((len(readout.facts) for readout in readouts), default=0)
    return 2 * PAD_PX + TITLE_PX + ROW_PX * -(-most // _columns(width)) if most else 0.0


def draw_readout(readout: Readout, *, top: float, width: float, height: float) -> Html:
    """The strip, opaque, so that one drawn later covers one drawn before."""
    columns = _columns(width)
    room = (width - 2 * PAD_PX) / columns
    cells = [
        _fact(
            name,
            value,
            PAD_PX + room * (place % columns),
            top + PAD_PX + TITLE_PX + ROW_PX * (place // columns),
        )
        for place, (name, value) in enumerate(readout.facts)
    ]
    title = tag(
        "text",
        tag("tspan", text(_fitted(readout, width)), class_="readout-title"),
        tag("tspan", text(readout.note), dx=10, class_=f"readout-note {readout.tone}".rstrip()),
        x=PAD_PX,
        y=top + PAD_PX + 12,
    )
    back = tag("rect", x=0.5, y=top + 0.5, width=width - 1, height=height - 1, rx=8, class_="readout-back")
    return join([back, title, *cells])


def _fitted(readout: Readout, width: float) -> str:
    """The title, cut where the note would leave the strip."""
    room = width - 2 * PAD_PX - text_width(readout.note) - 10
    most = max(3, int(room // CHARACTER_PX))
    return readout.title if len(readout.title) <= most else readout.title[: most - 1] + "…"


def _columns(width: float) -> int:
    return min(MOST_COLUMNS, max(1, int((width - 2 * PAD_PX) // COLUMN_PX)))


def _fact(name: str, value: str, x: float, y: float) -> Html:
    return join(
        [
            tag("text", text(name), x=x, y=y + 12, class_="readout-name"),
            tag("text", text(value), x=x, y=y + 28, class_="readout-value"),
        ]
    )
