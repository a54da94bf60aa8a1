"""Building HTML and SVG: what is data is escaped, what is markup has its own type."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import NewType

Html = NewType("Html", str)
"""Markup that is safe to put in a page as it is. Only `text`, `tag` and `join` make it."""

NOTHING = Html("")


def text(value: object) -> Html:
    """`value` as text that can never be read as markup.

    >>> text("<script>")
    '&lt;script&gt;'
    """
    return Html(html.escape(str(value), quote=True))


def join(parts: Iterable[Html]) -> Html:
    """The parts, one after the other."""
    return Html("".join(parts))


def tag(name: str, *children: Html, **attributes: str | float | None) -> Html:
    """One element. `class_` is written as class, other underscores as hyphens; None leaves an attribute out.

    >>> tag("text", text("a & b"), x=1.504, class_="tick", text_anchor="end")
    '<text x="1.5" class="tick" text-anchor="end">a &amp; b</text>'
    """
    opening = name + "".join(
        f' {_attribute(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None
    )
    return Html(f"<{opening}>{join(children)}</{name}>")


def path(points: Sequence[tuple[float, float]], *, close: bool = False) -> str:
    """The `d` of a path through `points` (px).

    >>> path([(0, 0), (1.26, 2)])
    'M0 0L1.3 2'
    """
    drawn = "L".join(f"{_short(x, 1)} {_short(y, 1)}" for x, y in points)
    return f"M{drawn}{'Z' if close else ''}" if points else ""


def _attribute(key: str) -> str:
    return key if key == "viewBox" else key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    return html.escape(value, quote=True) if isinstance(value, str) else _short(value, 2)


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
