"""Several hypotheses at once by their e-values, with a bounded share of false discoveries."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def e_bh(log_evidence: Sequence[float] | npt.NDArray[np.float64], rate: float) -> npt.NDArray[np.bool_]:
    """Which of K hypotheses are discoveries, bool [K]; their false discovery rate is at most `rate`.

    The e-BH procedure (Wang and Ramdas 2022): those with the k largest e-values, for the largest k of which
    each is at least K / (k · rate). It holds however the e-values depend on each other. With e-processes it
    holds at any moment one stops at; and while every hypothesis is true, anything is ever discovered with
    probability at most `rate`: a discovery needs a mean e-value of 1 / rate, which is an e-process itself.

    Args:
        log_evidence: natural logarithms of the e-values.
        rate: the mean share of false discoveries, at most.

    Raises:
        ValueError: `rate` is not strictly between 0 and 1.

    >>> e_bh([9.0, 5.0, 0.0, 0.0], 0.1).tolist()
    [True, True, False, False]
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate = {rate!r}: expected a number strictly between 0 and 1")
    logs = np.asarray(log_evidence, dtype=np.float64)
    ranked = -np.sort(-logs)
    bars = math.log(len(logs) / rate) - np.log(np.arange(1, len(logs) + 1)) if len(logs) else ranked
    reached = np.flatnonzero(ranked >= bars)
    return logs >= ranked[reached[-1]] if len(reached) else np.zeros(len(logs), dtype=np.bool_)
