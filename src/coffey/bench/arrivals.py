"""When requests arrive that do not wait for answers."""

from __future__ import annotations

import numpy as np

from coffey.bench.summary import Times


def poisson_arrivals(rate: float, seconds: float, rng: np.random.Generator) -> Times:
    """Arrival times in seconds from the start, ascending, within `seconds`, at least one.

    Gaps are exponential with mean 1 / `rate`. The whole schedule exists before the first request is sent, so
    no slow answer can delay a later arrival.

    Raises:
        ValueError: the rate or the time is not above 0.
    """
    if rate <= 0 or seconds <= 0:
        raise ValueError(f"rate={rate!r}, seconds={seconds!r}: expected numbers above 0.")
    expected = rate * seconds
    gaps = rng.exponential(1.0 / rate, size=int(expected + 6 * expected**0.5 + 10))
    arrivals = np.cumsum(gaps)
    within = arrivals[arrivals < seconds]
    return within if len(within) else arrivals[:1]
