"""Reading traffic back: what was compacted and what still lies in segments, each record once."""

from __future__ import annotations

from pathlib import Path

from coffey.core.records import TrafficRecord
from coffey.traffic.selection import select


def read_traffic(
    root: Path, *, model: str | None = None, since: float | None = None, audit_only: bool = False
) -> list[TrafficRecord]:
    """The served requests in a store, in the order in which they were answered. All are held in memory.

    Args:
        root: the store's folder.
        model: digest of the artifact that answered; all when None.
        since: seconds since 1970; records answered at or after it.
        audit_only: only those chosen for audit.

    Raises:
        StoreUnavailable: a file cannot be read.
    """
    return select(root, model=model, since=since).records(audited=audit_only)
