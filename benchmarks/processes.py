"""What Linux says of a server's processes: the workers of a supervisor, and the clients of a worker."""

from __future__ import annotations

from pathlib import Path

ESTABLISHED = "01"
"""Of tcp(7), as /proc/net/tcp writes it."""


def children(pid: int) -> list[int]:
    """The processes that it started and that live."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def clients(pid: int) -> int:
    """Connections that the process has accepted and holds."""
    links = [str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()]
    held = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    rows = [row.split() for row in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == ESTABLISHED and row[9] in held for row in rows)
