"""Parts of a report within another page, such as a notebook: their style goes with them and stays there."""

from __future__ import annotations

from functools import cache

from coffey.dashboard.charts.markup import Html, join, tag
from coffey.dashboard.page import TEMPLATES

CLASS = "coffey"
_CLOSER = """\
& { margin: 0; padding: 18px 20px 20px; }
.verdict { margin-top: 0; font-size: 17px; }
.tiles { margin-top: 20px; }
.tiles ~ figure { margin-top: 28px; }
"""
"""A part has less air than a page."""


def embedded(*parts: Html) -> Html:
    """The parts with their style, which reaches nothing outside them."""
    return tag("div", tag("style", Html(embedded_style())), join(parts), class_=CLASS)


@cache
def embedded_style() -> str:
    """The reports' style, nested (CSS Nesting) so that it holds within the class `coffey` alone."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    nested = style.replace(":root {", "& {").replace("body {", "& {")
    return f".{CLASS} {{\n{nested}\n{_CLOSER}}}"
