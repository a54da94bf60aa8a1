"""Names beside points, each where it covers no other mark or name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffey.dashboard.charts.frame import Frame, text_width
from coffey.dashboard.charts.markup import Html, join, tag, text

Box = tuple[float, float, float, float]
"""Left, top, right, bottom (px)."""

Anchored = tuple[Box, str]
"""The box of a name and the end of it that is held fast."""


@dataclass(frozen=True, slots=True)
class Named:
    """A point with its name."""

    label: str
    x: float
    """Centre (px)."""
    y: float
    box: Box
    """What the mark covers, its vertical whisker included."""
    gap: float = 9.0
    """From the centre to a name at its side (px)."""


def draw_labels(frame: Frame, points: Sequence[Named], taken: Sequence[Box] = ()) -> Html:
    """A name for every point, at whichever side of it is room; `taken` is covered already."""
    covered = [*taken, *(point.box for point in points)]
    drawn = []
    for point in points:
        box, anchor = _place(frame, point, covered)
        covered.append(box)
        place = {"start": box[0], "middle": (box[0] + box[2]) / 2, "end": box[2]}[anchor]
        drawn.append(tag("text", text(point.label), x=place, y=box[3] - 3, class_=f"label {anchor}"))
    return join(drawn)


def _place(frame: Frame, point: Named, covered: Sequence[Box]) -> Anchored:
    """The first free place around a point; the first inside the plot when none is free."""
    candidates = _around(point, text_width(point.label))
    inside = [
        c for c in candidates if c[0][0] >= frame.left and c[0][2] <= frame.width and c[0][3] <= frame.height
    ]
    free = [c for c in inside if not any(_meet(c[0], box) for box in covered)]
    return (free or inside or candidates)[0]


def _around(point: Named, width: float) -> list[Anchored]:
    x, y, gap = point.x, point.y, point.gap
    _, top, _, bottom = point.box
    return [
        ((x + gap, y - 9, x + gap + width, y + 7), "start"),
        ((x - gap - width, y - 9, x - gap, y + 7), "end"),
        ((x - width / 2, top - 18, x + width / 2, top - 2), "middle"),
        ((x - width / 2, bottom + 2, x + width / 2, bottom + 18), "middle"),
        ((x + gap, y - 23, x + gap + width, y - 7), "start"),
        ((x - gap - width, y - 23, x - gap, y - 7), "end"),
        ((x + gap, y + 6, x + gap + width, y + 22), "start"),
        ((x - gap - width, y + 6, x - gap, y + 22), "end"),
    ]


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
