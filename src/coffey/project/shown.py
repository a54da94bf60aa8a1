"""What a command came to, in Python: short in a terminal, drawn in a notebook, a table on demand."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coffey.core.errors import MissingExtra
from coffey.project.frame import Framed, flat, table_of

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

    from coffey.dashboard.chart import Chart
    from coffey.dashboard.page import Page


class Shown(Framed):
    """What `plan`, `distill`, `bench` and `tick` return: it shows itself, and gives charts and a table."""

    __slots__ = ()

    @abstractmethod
    def page(self) -> Page:
        """The report's content."""

    @abstractmethod
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """What `to_arrow` has one row each of."""

    def plot(self, title: str | None = None) -> Chart:
        """A chart of the report by its title; the first one without a title.

        Raises:
            KeyError: there is no such chart; the message lists those there are.
        """
        charts = self.plots()
        name = next(iter(charts), "") if title is None else title
        if name not in charts:
            known = ", ".join(map(repr, charts)) or "none"
            raise KeyError(f"{type(self).__name__} has no chart {name!r}. It has: {known}.")
        return charts[name]

    def plots(self) -> dict[str, Chart]:
        """All charts of the report by title."""
        from coffey.dashboard.glance import charts_of

        return charts_of(self.page())

    def to_arrow(self) -> pa.Table:
        """One row a stage (`distill`), timed way (`bench`), candidate (`plan`) or judged audit (`tick`).

        Raises:
            MissingExtra: pyarrow (the extra `watch`) is not installed.
        """
        return table_of([flat(row) for row in self.rows()])

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.page().verdict}>"

    def __rich__(self) -> RenderableType:
        from coffey.dashboard.glance import as_text

        return as_text(self.page())

    def _repr_html_(self) -> str | None:
        from coffey.dashboard.glance import as_html

        try:
            return as_html(self.page())
        except MissingExtra:
            return None
