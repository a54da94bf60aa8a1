"""JSON Lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from coffey.core.errors import UnreadableData
from coffey.data.lines import Line, numbered_lines
from coffey.data.table import RawRow, Table


def read_jsonl(stream: BinaryIO, source: str) -> Table:
    """The objects of a JSONL stream; blank lines are left out, lines that are no object become reasons.

    Raises:
        UnreadableData: (while the rows are walked) the file is one JSON array.
    """
    return Table(None, _rows(numbered_lines(stream, source), source))


def _rows(lines: Iterable[Line], source: str) -> Iterator[RawRow]:
    started = False
    for number, text, problem in lines:
        if not text.strip():
            continue
        if not started and text.lstrip().startswith("["):
            raise UnreadableData(source, "it is one JSON array; write one object a line (jq -c '.[]')")
        started = True
        yield number, problem or _object(text)


def _object(text: str) -> dict[str, object] | str:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        return f"not JSON: {exc}"
    return value if isinstance(value, dict) else f"a JSON {type(value).__name__}, expected an object"
