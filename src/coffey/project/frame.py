"""Rows in columns: what a project keeps, as an Arrow table for pandas, Polars, DuckDB and `datasets`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coffey.core.errors import MissingExtra

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

SHOWN_ROWS = 10
"""Rows that a frame shows of itself."""


class Framed(ABC):
    """Something that is also a table. What reads Arrow (`pl.DataFrame`, `duckdb.sql`) takes it as it is."""

    __slots__ = ()

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""

    def to_pandas(self) -> Any:
        """The rows as a pandas frame; pandas must be installed."""
        return self.to_arrow().to_pandas()

    def to_dataset(self) -> Any:
        """The rows as a `datasets.Dataset`; the package must be installed."""
        from datasets import Dataset

        return Dataset(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows by the Arrow PyCapsule interface."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)


class Frame(Framed):
    """A table that is read when it is first asked for."""

    def __init__(self, read: Callable[[], pa.Table]) -> None:
        self._read = read
        self._table: pa.Table | None = None

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table; read once.

        Raises:
            MissingExtra: pyarrow (the extra `watch`) is not installed.
        """
        if self._table is None:
            try:
                self._table = self._read()
            except ModuleNotFoundError as exc:
                raise MissingExtra("A table", "watch", exc.name or "pyarrow") from exc
        return self._table

    def __len__(self) -> int:
        return int(self.to_arrow().num_rows)

    def __repr__(self) -> str:
        table = self.to_arrow()
        return f"<Frame of {table.num_rows:,} rows: {', '.join(table.column_names)}>"

    def __rich__(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(header_style="bold")
        for name in self.to_arrow().column_names:
            table.add_column(Text(name))
        for row in self._first():
            table.add_row(*(Text(cell) for cell in row))
        return Group(table, Text(repr(self), style="dim"))

    def _repr_html_(self) -> str:
        from coffey.dashboard.charts.markup import tag, text

        names = self.to_arrow().column_names
        head = tag("tr", *(tag("th", text(name)) for name in names))
        rows = [tag("tr", *(tag("td", text(cell)) for cell in row)) for row in self._first()]
        return tag("table", tag("thead", head), tag("tbody", *rows)) + tag("p", text(repr(self)))

    def _first(self) -> list[list[str]]:
        from coffey.dashboard import figures

        rows = self.to_arrow().slice(0, SHOWN_ROWS).to_pylist()
        return [
            [figures.short("" if cell is None else str(cell), 80) for cell in row.values()] for row in rows
        ]


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without nesting.

    An interval becomes `name`, `name_low` and `name_high`, a figure its value; the keys of other objects go
    behind the object's name, and lists become text.

    >>> flat({"name": "2M", "of": {"share": {"value": 0.9, "low": 0.8, "high": 1.0}}, "by": ["a", "b"]})
    {'name': '2M', 'of_share': 0.9, 'of_share_low': 0.8, 'of_share_high': 1.0, 'by': 'a + b'}
    """
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping) and "value" in value:
            ends = {f"{name}_{end}": value[end] for end in ("low", "high") if end in value}
            found |= {name: value["value"], **ends}
        elif isinstance(value, Mapping):
            found |= {f"{name}_{inner}": each for inner, each in flat(value).items()}
        elif isinstance(value, list | tuple):
            found[name] = " + ".join(map(str, value))
        else:
            found[name] = value
    return found


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table whose columns are all keys that occur, in the order of their first occurrence.

    Raises:
        MissingExtra: pyarrow (the extra `watch`) is not installed.
    """
    try:
        import pyarrow as pa
    except ModuleNotFoundError as exc:
        raise MissingExtra("A table", "watch", "pyarrow") from exc
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})
