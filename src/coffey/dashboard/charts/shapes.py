"""The mark of a point: groups differ by shape, so that they can be told apart without colour."""

from __future__ import annotations

from coffey.dashboard.charts.markup import Html, path, tag

RADIUS_PX = 5.5


def draw_shape(index: int, x: float, y: float, *, kind: str, radius: float = RADIUS_PX) -> Html:
    """A circle, square, diamond or triangle (by `index`, again from the first after four) of like area.

    Args:
        index: of the group.
        x: centre (px).
        y: centre (px).
        kind: the element's class.
        radius: of the circle (px).
    """
    if index % 4 == 0:
        return tag("circle", cx=x, cy=y, r=radius, class_=kind)
    half, far = 0.91 * radius, 1.27 * radius
    flat, deep = 1.18 * radius, 0.91 * radius
    outlines = {
        1: [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)],
        2: [(x, y - far), (x + far, y), (x, y + far), (x - far, y)],
        3: [(x, y - flat), (x + flat, y + deep), (x - flat, y + deep)],
    }
    return tag("path", d=path(outlines[index % 4], close=True), class_=kind)
