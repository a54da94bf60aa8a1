"""How much was served over how long, from counts alone: no record of a compacted hour is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from coffey.core.errors import StoreUnavailable
from coffey.traffic.layout import parquet_folder
from coffey.traffic.selection import select

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Volume:
    """Requests between the first and the last of them."""

    requests: int
    first_unix_s: float
    last_unix_s: float

    @property
    def days(self) -> float:
        """From the first request to the last."""
        return (self.last_unix_s - self.first_unix_s) / _DAY_S

    @property
    def per_day(self) -> float | None:
        """Requests a day; None for less than a day, of which no day follows: traffic has its hours."""
        return self.requests / self.days if self.days >= 1 else None


def served_volume(root: Path) -> Volume | None:
    """What the store's log holds: the compacted records, or all where nothing was compacted yet.

    Records that wait for compaction are left out: the first and the last moment are those of the counted
    ones, so the rate is not less for it.

    Raises:
        StoreUnavailable: a file cannot be read.
    """
    return Counted(root).volume()


class Counted:
    """`served_volume` again and again: compacted files never change their counts, so each is read once."""

    def __init__(self, root: Path) -> None:
        """Count under the store's `root`; nothing is read yet."""
        self._root = root
        self._known: dict[Path, Volume | None] = {}

    def volume(self) -> Volume | None:
        """As `served_volume`."""
        try:
            paths = parquet_folder(self._root).glob("model=*/hour=*/*.parquet")
            names = [path for path in paths if not path.name.startswith(".")]
            self._known = {path: self._counted(path) for path in names}
        except OSError as exc:
            raise StoreUnavailable(str(self._root), exc.strerror or str(exc)) from exc
        parts = [part for part in self._known.values() if part is not None] or _uncompacted(self._root)
        if not parts:
            return None
        return Volume(
            requests=sum(part.requests for part in parts),
            first_unix_s=min(part.first_unix_s for part in parts),
            last_unix_s=max(part.last_unix_s for part in parts),
        )

    def _counted(self, path: Path) -> Volume | None:
        return self._known[path] if path in self._known else _part(path)


def _part(path: Path) -> Volume | None:
    """One file by its footer; None for an empty one, or one that expired meanwhile."""
    try:
        footer = pq.read_metadata(path)
    except FileNotFoundError:
        return None
    column = footer.schema.names.index("unix_s")
    times = [footer.row_group(group).column(column).statistics for group in range(footer.num_row_groups)]
    if not footer.num_rows:
        return None
    return Volume(footer.num_rows, min(one.min for one in times), max(one.max for one in times))


def _uncompacted(root: Path) -> list[Volume]:
    return [Volume(part.rows, part.first_unix_s, part.last_unix_s) for part in select(root).parts]
