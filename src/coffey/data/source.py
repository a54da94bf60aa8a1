"""Examples from the user's files: streamed, as often as wanted, with every bad row named."""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from coffey.core.errors import BadRow, BadRows, EmptyData, MissingColumn, UnreadableData
from coffey.core.records import Example
from coffey.data.locate import DataFile, locate
from coffey.data.reader import read_table
from coffey.data.rows import to_example
from coffey.data.table import Table

KEPT_BAD_ROWS = 1000
"""Bad rows that a report names; the others are counted."""
_ROWS_BEFORE_MISSING = 1000
"""JSONL objects without the wanted key after which it counts as a missing column."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What one walk through a source found."""

    rows: int = 0
    """Examples that were yielded."""
    labelled: int = 0
    bad_count: int = 0
    bad: tuple[BadRow, ...] = ()
    """The first 1,000 bad rows."""
    files: tuple[str, ...] = ()
    """Files that were opened, in order."""


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    labelled: int = 0
    bad_count: int = 0
    bad: list[BadRow] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def refuse(self, row: BadRow) -> None:
        self.bad_count += 1
        if len(self.bad) < KEPT_BAD_ROWS:
            self.bad.append(row)

    def report(self) -> ReadReport:
        return ReadReport(self.rows, self.labelled, self.bad_count, tuple(self.bad), tuple(self.files))


class ExampleSource:
    """Examples of one or more files; walking it again reads the files again."""

    def __init__(
        self,
        urls: Sequence[str] | str,
        *,
        text: str,
        label: str | None,
        bad_rows: Literal["refuse", "skip"] = "refuse",
        label_required: bool = True,
        separator: str | None = None,
    ) -> None:
        """Name the files; nothing is read yet.

        Args:
            urls: paths, globs and fsspec URLs of CSV, TSV, JSONL (each also `.gz`), Parquet, Arrow stream
                files and folders that `datasets` saved.
            text: column of the input.
            label: column of the hard label, if any.
            bad_rows: `refuse` raises `BadRows` at the end of a walk that met any; `skip` leaves them out.
            label_required: whether a file without the label column is an error; if not, its rows are
                unlabelled.
            separator: of the labels of a row in a multi-label task; None where a row has one label.
        """
        self.urls = (urls,) if isinstance(urls, str) else tuple(urls)
        self.text = text
        self.label = label
        self.bad_rows = bad_rows
        self.label_required = label_required
        self.separator = separator
        self.report = ReadReport()
        """What the last walk found, also when it was left early."""

    def __iter__(self) -> Generator[Example]:
        """Walk through the examples.

        Raises:
            BadRows: at the end, all of them together, under `refuse`.
            MissingColumn: a file lacks a column.
            EmptyData: there was no row at all, good or bad (under `skip`: no good row).
            UnreadableData: a file is missing, damaged or of an unknown format.
            MissingExtra: a format or protocol needs a package that is not installed.
        """
        tally = _Tally()
        self.report = ReadReport()
        try:
            for file in locate(self.urls):
                tally.files.append(file.name)
                yield from self._examples(file, tally)
        finally:
            self.report = tally.report()
        if tally.bad_count and self.bad_rows == "refuse":
            raise BadRows(tally.bad, tally.bad_count)
        if not tally.rows:
            reason = f"all {tally.bad_count} rows are bad" if tally.bad_count else "the files are empty"
            raise EmptyData(", ".join(self.urls), reason)

    def _examples(self, file: DataFile, tally: _Tally) -> Iterator[Example]:
        wanted = [self.text] if self.label is None else [self.text, self.label]
        try:
            with file.open() as stream:
                table = read_table(file, stream, wanted=wanted)
                yield from self._convert(file.name, table, tally)
        except (OSError, EOFError, zlib.error) as exc:
            raise UnreadableData(file.name, str(exc)) from exc

    def _convert(self, name: str, table: Table, tally: _Tally) -> Iterator[Example]:
        columns = _ColumnCheck(name, self.text, self.label if self.label_required else None)
        columns.check_declared(table, self.label, lists=self.separator is not None)
        for line, values in table.rows:
            if isinstance(values, str):
                tally.refuse(BadRow(name, line, values))
                continue
            if table.columns is None:
                columns.see(values)
            if self.text not in values:
                tally.refuse(BadRow(name, line, f"there is no {self.text!r}"))
                continue
            label = None if self.label is None else values.get(self.label)
            example = to_example(values[self.text], label, source=name, line=line, separator=self.separator)
            if isinstance(example, BadRow):
                tally.refuse(example)
                continue
            tally.rows += 1
            tally.labelled += example.label is not None
            yield example
        columns.finish()


class _ColumnCheck:
    """Whether a file has the columns that are needed, from its header or from the keys of its rows."""

    def __init__(self, source: str, text: str, label: str | None) -> None:
        self._source = source
        self._missing = [name for name in (text, label) if name is not None]
        self._seen: dict[str, None] = {}
        self._rows = 0
        self._text = text

    def check_declared(self, table: Table, label: str | None, *, lists: bool) -> None:
        if table.columns:
            for column in self._missing:
                if column not in table.columns:
                    raise missing_column(self._source, column, table.columns)
        wrong = {name: kind for name, kind in table.types.items() if name in (self._text, label)}
        if lists and label in table.lists:
            wrong.pop(str(label))
        if self._text in table.numbers:
            wrong[self._text] = "whole numbers"
        for name, kind in wrong.items():
            raise UnreadableData(self._source, f"column {name!r} holds {kind}, expected strings")

    def see(self, values: object) -> None:
        if not self._missing or not isinstance(values, dict):
            return
        self._rows += 1
        self._seen.update(dict.fromkeys(values))
        self._missing = [name for name in self._missing if name not in values]
        if self._rows >= _ROWS_BEFORE_MISSING:
            self.finish()

    def finish(self) -> None:
        if self._rows and self._missing:
            raise missing_column(self._source, self._missing[0], tuple(self._seen))


def missing_column(source: str, column: str, columns: Sequence[str]) -> MissingColumn:
    """The error for `column`, with the one of `columns` that is spelled most like it."""
    folded = {name.casefold(): name for name in columns}
    near = difflib.get_close_matches(column.casefold(), folded, n=1, cutoff=0.5)
    return MissingColumn(source, column, columns, folded[near[0]] if near else None)
