"""From measured times to a latency record."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from coffey.core.records import Latency
from coffey.stats.percentiles import percentile

Times = npt.NDArray[np.float64]

_KEPT = 2000


def summarize(
    times_s: Times,
    *,
    subject: str,
    path: Literal["in-process", "http"],
    load: Literal["closed", "open"],
    elapsed_s: float,
    offered_rps: float | None = None,
    errors: int = 0,
) -> Latency:
    """The record of one measurement. Percentiles are nearest-rank: values that were really measured.

    Args:
        times_s: seconds of each request [n].
        subject: what was timed.
        path: how it was reached.
        load: how requests arrived.
        elapsed_s: wall-clock seconds of the whole measurement.
        offered_rps: arrivals a second, in an open loop.
        errors: requests that were refused, failed or never answered.

    Raises:
        ValueError: nothing was measured.
    """
    return Latency(
        subject=subject,
        path=path,
        load=load,
        requests=len(times_s),
        p50_ms=percentile(times_s, 0.50).value * 1000,
        p95_ms=percentile(times_s, 0.95).value * 1000,
        p99_ms=percentile(times_s, 0.99).value * 1000,
        mean_ms=float(np.mean(times_s)) * 1000,
        rps=max(0, len(times_s) - errors) / elapsed_s,
        offered_rps=offered_rps,
        errors=errors,
        sample_ms=_order_statistics(times_s),
    )


def _order_statistics(times_s: Times) -> tuple[float, ...]:
    """Up to 2,000 evenly spaced order statistics in milliseconds, the smallest and the largest among them."""
    ordered = np.sort(times_s) * 1000
    if len(ordered) > _KEPT:
        ordered = ordered[np.linspace(0, len(ordered) - 1, _KEPT).round().astype(np.intp)]
    return tuple(float(value) for value in ordered)
