"""The figures behind a chart: a table for people, and a file of plain numbers to go on with."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

Cell = str | float | None
Form = Callable[[float], str]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins with one of these for a formula (OWASP, CSV injection)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, how its numbers are written for people, and what stands where there is none."""

    name: str
    form: Form = str
    absent: str = ""

    def written(self, cell: Cell) -> str:
        """A cell as people read it; a text as it is."""
        if cell is None:
            return self.absent
        return cell if isinstance(cell, str) else self.form(cell)


@dataclass(frozen=True, slots=True)
class Data:
    """Rows of texts and numbers."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def written(self, row: int) -> list[str]:
        """A row as people read it."""
        return [column.written(cell) for column, cell in zip(self.columns, self.rows[row], strict=True)]

    def csv(self) -> str:
        """All rows as RFC 4180, numbers in full.

        >>> Data([Column("what"), Column("share")], [("=a", 0.125), ("b, c", None)]).csv().splitlines()
        ['what,share', "'=a,0.125", '"b, c",']
        """
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow([_plain(column.name) for column in self.columns])
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return buffer.getvalue()

    def address(self) -> str:
        """The CSV within a link: a page that may ask for nothing can still give it away."""
        return "data:text/csv;charset=utf-8," + quote(self.csv(), safe="")


def _plain(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
