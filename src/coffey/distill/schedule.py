"""The learning rate over a stage: a linear rise, then half a cosine down to zero."""

from __future__ import annotations

import math


def learning_rate_factor(step: int, *, steps: int, warmup: float) -> float:
    """Share of the peak learning rate that the optimizer step number `step` (from 0) uses.

    >>> [round(learning_rate_factor(step, steps=10, warmup=0.2), 2) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.04]
    """
    rising = round(steps * warmup)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))
