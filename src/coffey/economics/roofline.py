"""How long work takes on a machine: the slowest of its products, its functions and its memory."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """Operations of one kind that run one after another."""

    flops: float
    """Of matrix products."""
    moved_bytes: float
    """Read from and written to memory."""
    kernels: float = 1.0
    """Separate launches."""
    elements: float = 0.0
    """Values that go through a function: activation, softmax, norm."""

    def times(self, count: float) -> Work:
        """The same, `count` times."""
        return Work(self.flops * count, self.moved_bytes * count, self.kernels * count, self.elements * count)


@dataclass(frozen=True, slots=True)
class Speed:
    """What a machine sustains, not its peaks."""

    flops_per_s: float
    bytes_per_s: float
    launch_s: float = 0.0
    """From one kernel to the next, however small they are."""
    elements_per_s: float = math.inf
    """Functions of single values; infinite where memory is always slower, as on accelerators."""


def seconds(work: Iterable[Work], speed: Speed) -> float:
    """Seconds of all the work: max(FLOPs / FLOP/s, bytes / bytes/s, …) of each kind, and a launch a kernel.

    The roofline of Williams, Waterman and Patterson (2009), with a third ceiling for what is no matrix
    product. Kinds do not overlap: kernels of one stream run in turn, so what is bound by memory adds to
    what is bound by arithmetic.

    >>> seconds([Work(6e9, 1e9), Work(1e9, 4e9, kernels=2)], Speed(2e9, 1e9, launch_s=0.5))
    8.5
    """
    return sum(
        max(
            part.flops / speed.flops_per_s,
            part.moved_bytes / speed.bytes_per_s,
            part.elements / speed.elements_per_s,
        )
        + part.kernels * speed.launch_s
        for part in work
    )
