"""What every file format is read as: named columns and numbered rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

RawRow = tuple[int, Mapping[str, object] | str]
"""The line (1-based; the row number in Parquet and `datasets` folders) and its values, or why it has none."""


@dataclass(frozen=True, slots=True)
class Table:
    """One file, being read: `rows` can be walked once."""

    columns: tuple[str, ...] | None
    """Names of the columns; None where each row names its own (JSONL)."""
    rows: Iterator[RawRow]
    types: Mapping[str, str] = field(default_factory=dict)
    """Columns declared (in Parquet, `datasets`) as neither text nor whole numbers, with their type."""
    numbers: frozenset[str] = frozenset()
    """Columns that are declared to hold whole numbers (Parquet, `datasets`)."""
    lists: frozenset[str] = frozenset()
    """Those of `types` that are declared to hold lists of text or of whole numbers."""
