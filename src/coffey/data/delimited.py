"""CSV and TSV: a header, quoted fields that may run over lines, and recovery after a bad record."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from coffey.core.errors import UnreadableData
from coffey.data.lines import Line, numbered_lines
from coffey.data.table import RawRow, Table

MAX_RECORD_LINES = 1000
"""Lines that one quoted record may run over: bounds what an unclosed quote makes us hold and read twice."""
_DELIMITERS = (",", ";", "\t", "|")

Record = tuple[int, list[str] | str]


def read_delimited(stream: BinaryIO, source: str, *, delimiter: str | None, wanted: Sequence[str]) -> Table:
    """The records of a CSV or TSV stream.

    Args:
        stream: bytes, UTF-8.
        source: name of the file, for messages.
        delimiter: the character between fields; None chooses among `,` `;` tab `|` the one whose header
            has `wanted[0]`, or else the most fields.
        wanted: columns that the caller will ask for.

    Raises:
        UnreadableData: the header cannot be read, or names a wanted column twice.
    """
    lines = _PushBack(numbered_lines(stream, source))
    header_line = next((line for line in lines if line.text.strip()), None)
    if header_line is None:
        return Table((), iter(()))
    chosen = delimiter or _choose(header_line.text, wanted)
    lines.push_back([header_line])
    records = _records(lines, chosen)
    number, header = next(records)
    if isinstance(header, str):
        raise UnreadableData(source, f"its header (line {number}) is unreadable: {header}")
    header = [name.strip() for name in header]
    twice = [name for name in wanted if header.count(name) > 1]
    if twice:
        raise UnreadableData(source, f"its header names {twice[0]!r} more than once")
    return Table(tuple(header), _rows(records, header))


def _rows(records: Iterable[Record], header: Sequence[str]) -> Iterator[RawRow]:
    for number, record in records:
        if isinstance(record, str):
            yield number, record
        elif len(record) != len(header):
            yield number, f"{len(record)} field(s) where the header has {len(header)}"
        else:
            yield number, dict(zip(header, record, strict=True))


class _PushBack:
    """Lines that can be given back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._returned: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._returned.popleft() if self._returned else next(self._lines)

    def push_back(self, lines: Sequence[Line]) -> None:
        self._returned.extendleft(reversed(lines))


def _records(lines: _PushBack, delimiter: str) -> Iterator[Record]:
    """Records with the line they begin on; a record that fails costs its first line only."""
    open_until = 0  # a broken record may have left a quoted field open, whose end is not data
    for line in lines:
        number, text, problem = line
        if not text.strip():
            continue
        if '"' not in text:
            yield number, problem or _plain(text, delimiter)
            continue
        fields, used = _quoted(line, lines, delimiter)
        if isinstance(fields, str):
            lines.push_back(used[1:])
            if delimiter == "\t":  # TSV is often written without quoting: then a quote is a character
                fields = _plain(text, delimiter)
            else:
                open_until = number + MAX_RECORD_LINES
            yield number, problem or fields
        elif number <= open_until and _is_odd(used):
            open_until = 0
            yield number, "a stray quote after a broken record"
        else:
            yield number, next((part.problem for part in used if part.problem), None) or fields


def _is_odd(lines: Sequence[Line]) -> bool:
    return sum(line.text.count('"') for line in lines) % 2 == 1


def _plain(text: str, delimiter: str) -> list[str] | str:
    body = text.rstrip("\r\n")
    return "a carriage return inside the line" if "\r" in body else body.split(delimiter)


def _quoted(first: Line, lines: Iterator[Line], delimiter: str) -> tuple[list[str] | str, list[Line]]:
    used = [first]

    def feed() -> Iterator[str]:
        yield first.text
        for line in lines:
            used.append(line)
            if len(used) > MAX_RECORD_LINES:
                raise csv.Error(f"a quoted field runs over {MAX_RECORD_LINES} lines")
            yield line.text

    try:
        return next(csv.reader(feed(), delimiter=delimiter, strict=True)), used
    except csv.Error as exc:
        return f"not CSV: {exc}", used


def _choose(header: str, wanted: Sequence[str]) -> str:
    def names(delimiter: str) -> list[str]:
        return [name.strip().strip('"') for name in header.strip("\r\n").split(delimiter)]

    fitting = [delimiter for delimiter in _DELIMITERS if wanted and wanted[0] in names(delimiter)]
    return fitting[0] if fitting else max(_DELIMITERS, key=lambda delimiter: len(names(delimiter)))
