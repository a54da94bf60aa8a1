"""Where training runs: the device, its precision, and the CPU threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch

from coffey.core.errors import MissingExtra

try:
    from accelerate import Accelerator
except ImportError as exc:
    raise MissingExtra("Training", "distill", "accelerate") from exc


@lru_cache(maxsize=1)
def accelerator() -> Accelerator:
    """The best device here; bfloat16 autocast where a GPU has it, float32 otherwise.

    On a CPU float32 is kept: without AMX, bfloat16 is slower there.
    """
    precise = not (torch.cuda.is_available() and torch.cuda.is_bf16_supported())
    return Accelerator(mixed_precision="no" if precise else "bf16")


@contextmanager
def seeded(seed: int, threads: int | None) -> Iterator[None]:
    """Inside, torch draws from `seed` and uses `threads` CPU threads; outside, all is as it was."""
    before = torch.get_num_threads()
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
