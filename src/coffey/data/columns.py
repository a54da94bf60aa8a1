"""A look at the first rows of a file, to propose which columns hold the text and the label."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from coffey.core.errors import UnreadableData
from coffey.data.locate import locate
from coffey.data.reader import read_table

_TEXT_NAME = re.compile(
    r"text|sentence|utterance|query|question|input|content|message|body|review|title", re.I
)
_LABEL_NAME = re.compile(r"label|intent|category|class|topic|target|sentiment|tag$", re.I)


@dataclass(frozen=True, slots=True)
class ColumnProposal:
    """The columns of a file and the likely roles of two of them."""

    columns: tuple[str, ...]
    text: str | None
    label: str | None


def propose_columns(url: str, *, rows: int = 500) -> ColumnProposal:
    """Propose the text and label columns of the first file of `url` from its first rows.

    Raises:
        UnreadableData: there is no such file, or it cannot be read.
        MissingExtra: the format needs a package that is not installed.
    """
    file = locate([url])[0]
    try:
        with file.open() as stream:
            table = read_table(file, stream)
            found = [values for _, values in islice(table.rows, rows) if not isinstance(values, str)]
    except (OSError, EOFError, zlib.error) as exc:
        raise UnreadableData(file.name, str(exc)) from exc
    return _propose(table.columns or tuple(dict.fromkeys(name for row in found for name in row)), found)


def _propose(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> ColumnProposal:
    values = {name: [row[name] for row in rows if row.get(name) not in (None, "")] for name in columns}
    text = max(columns, key=lambda name: _textness(name, values[name]), default=None)
    if text is not None and _textness(text, values[text]) <= 0:
        text = None
    others = [name for name in columns if name != text]
    label = max(others, key=lambda name: _labelness(name, values[name]), default=None)
    if label is not None and _labelness(label, values[label]) <= 0:
        label = None
    return ColumnProposal(tuple(columns), text, label)


def _textness(name: str, values: Sequence[object]) -> float:
    """Mean words of a column of strings, tripled when it is named like a text; 0 for other columns."""
    strings = [value for value in values if isinstance(value, str)]
    if not strings or len(strings) < len(values):
        return 0.0
    words = sum(len(value.split()) for value in strings) / len(strings)
    return words * (3.0 if _TEXT_NAME.search(name) else 1.0)


def _labelness(name: str, values: Sequence[object]) -> float:
    """1 minus the share of distinct values, and 1 more when it is named like a label; 0 for other columns."""
    usable = [value for value in values if isinstance(value, (str, int)) and not isinstance(value, bool)]
    if not usable or len(usable) < len(values):
        return 0.0
    repeated = 1.0 - len(set(usable)) / len(usable)
    named = bool(_LABEL_NAME.search(name))
    return repeated + 1.0 if named else (repeated if repeated > 0.5 else 0.0)
