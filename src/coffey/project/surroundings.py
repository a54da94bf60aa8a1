"""What the machine and the process offer, looked up once at the edge."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The facts that `doctor` judges."""

    environment: Mapping[str, str]
    cores: int
    """Cores that this process may use."""
    load: float
    """Processes that wanted a core in the last minute, on average."""
    installed: Callable[[str], bool]
    """Whether a package can be imported."""
    home: Path


def surroundings_here() -> Surroundings:
    """The facts of this process on this machine."""
    return Surroundings(
        environment=dict(os.environ),
        cores=usable_cores(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        installed=lambda module: importlib.util.find_spec(module) is not None,
        home=Path.home(),
    )


def usable_cores() -> int:
    """Cores that this process may use: by affinity, and by the quota of its container."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota = cpu_quota(_CGROUP_CPU.read_text())
    except OSError:
        quota = None
    return max(1, min(count, int(quota))) if quota else count


def cpu_quota(cpu_max: str) -> float | None:
    """Cores allowed by the text of a cgroup's `cpu.max` (microseconds, and the period); None for no limit.

    >>> cpu_quota("150000 100000"), cpu_quota("max 100000")
    (1.5, None)
    """
    quota, _, period = cpu_max.strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None
