"""Merging many small shards into few large ones, safely beside other processes that read and append."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from coffey.core.errors import StoreUnavailable
from coffey.teacher.shard import list_shards, read_shard, shard_rows, write_shard
from coffey.teacher.table import AnswerTable

_FANOUT_BITS = 5
FANOUT = 1 << _FANOUT_BITS
"""Shards of a size class that are merged into one of the next: every answer is written at most four times."""
LARGE = 3
"""Size class (from FANOUT³ = 32,768 rows) that is left alone: a few hundred files at ten million answers."""


def compact(folder: Path, *, labels: int) -> list[Path]:
    """Merge every size class that has at least `FANOUT` shards; returns the shards that were made.

    The merged shard is committed before the merged ones are removed. A kill in between leaves answers twice,
    which readers tolerate; a reader that finds a shard gone finds the merged one beside it.

    Raises:
        StoreCorrupt: a shard is damaged; nothing is removed.
        StoreUnavailable: the folder cannot be written.
    """
    classes: dict[int, list[Path]] = defaultdict(list)
    for path in list_shards(folder):
        classes[_size_class(shard_rows(path))].append(path)
    due = [paths for size, paths in sorted(classes.items()) if size < LARGE and len(paths) >= FANOUT]
    return [merged for paths in due if (merged := _merge(folder, paths, labels=labels)) is not None]


def _size_class(rows: int) -> int:
    return max(rows.bit_length() - 1, 0) // _FANOUT_BITS


def _merge(folder: Path, paths: list[Path], *, labels: int) -> Path | None:
    table = AnswerTable(labels)
    try:
        for path in paths:
            table.absorb(*read_shard(path, labels=labels))
    except FileNotFoundError:
        return None  # another process is merging the same shards
    order = np.argsort(table.keys, kind="stable")
    merged = write_shard(folder, table.keys[order], table.probabilities[order])
    for path in paths:
        if path != merged:  # a merge that was killed half-way may have made this very shard
            _remove(path)
    return merged


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
