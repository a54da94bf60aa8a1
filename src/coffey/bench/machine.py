"""The machine that a measurement was taken on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from coffey.core.records import Machine

_CPUINFO = Path("/proc/cpuinfo")


def describe_machine() -> Machine:
    """This machine: the CPU's name, the cores this process may use, memory, system and accelerator."""
    return Machine(
        cpu=_cpu(),
        cores=len(usable_cores()) or 1,
        memory_gib=round(_memory_bytes() / 2**30, 1),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        accelerator=_accelerator(),
    )


def usable_cores() -> tuple[int, ...]:
    """Ids of the cores this process may run on, ascending; counted from 0 where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def _cpu() -> str:
    try:
        lines = _CPUINFO.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine() or "unknown"


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _accelerator() -> str | None:
    """The first CUDA device, if something else has loaded torch already: describing loads nothing."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return str(torch.cuda.get_device_name(0))
