"""A quick side-by-side timing of variants, for the record of why one ships; `bench` measures properly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from coffey.artifact.runtime import Runtime
from coffey.core.clock import monotonic

ROUNDS = 60
ENOUGH_SECONDS = 3.0
"""A large model stops before `ROUNDS`, but not before `FEWEST`."""
FEWEST = 15
WARM_UP = 5


def median_ms(runtimes: Mapping[str, Runtime], text: str) -> dict[str, float]:
    """Median time of `text` alone, tokenization included, for each runtime.

    They are measured in turns, so that whatever else the machine does falls on all of them alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runtimes}
    begin = monotonic()
    for turn in range(WARM_UP + ROUNDS):
        if turn >= WARM_UP + FEWEST and monotonic() - begin > ENOUGH_SECONDS:
            break
        for name, runtime in runtimes.items():
            start = monotonic()
            runtime.predict([text])
            seconds[name].append(monotonic() - start)
    return {name: 1000 * float(np.median(times[WARM_UP:])) for name, times in seconds.items()}
