"""What commands draw with: tables. Every figure is written by `dashboard.figures`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text


def figure_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    words: frozenset[int] = frozenset({0}),
    strong: frozenset[int] = frozenset(),
) -> Table:
    """A table of cells that are written already: figures to the right, columns in `words` to the left.

    Cells are shown as they are; square brackets in them are no markup. Rows in `strong` are bold.
    """
    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(title) if title else None,
        title_justify="left",
        show_edge=False,
        pad_edge=False,
    )
    for index, column in enumerate(columns):
        left = index in words
        table.add_column(
            Text(column),
            justify="left" if left else "right",
            no_wrap=not left,
            overflow="fold",
            header_style="dim",
        )
    for index, row in enumerate(rows):
        table.add_row(*(Text(cell) for cell in row), style="bold" if index in strong else None)
    return table


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and what they are, two columns without lines."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(name), Text(value))
    return table
