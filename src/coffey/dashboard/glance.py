"""A report at a glance: its verdict, its headline figures, and its charts as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from coffey.dashboard.chart import Chart
from coffey.dashboard.charts.markup import Html
from coffey.dashboard.embedded import embedded
from coffey.dashboard.page import Drawing, Page, templates

if TYPE_CHECKING:
    from rich.console import RenderableType


def charts_of(page: Page) -> dict[str, Chart]:
    """The page's charts by title, in its order."""
    drawings = [block for section in page.sections for block in section.blocks if isinstance(block, Drawing)]
    charts = [Chart(_title(drawing.html), drawing.html) for drawing in drawings]
    return {chart.title: chart for chart in charts}


def as_text(page: Page) -> RenderableType:
    """Verdict and headline figures for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    for tile in page.tiles:
        grid.add_row(Text(tile.label), Text(tile.value), Text(tile.note))
    return Group(Text(page.verdict, style="bold"), grid)


def as_html(page: Page) -> str:
    """Verdict, headline figures and the first chart for a notebook.

    Raises:
        MissingExtra: jinja2 (the extra `watch`) is not installed.
    """
    glance = templates().get_template("glance.html").render(page=page)
    first = next((chart.figure for chart in charts_of(page).values()), Html(""))
    return embedded(Html(glance), first)


def _title(figure: Html) -> str:
    return ElementTree.fromstring(figure).findtext("figcaption/strong") or ""
