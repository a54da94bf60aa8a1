"""Requests that were not chosen for audit, counted by confidence in the stretches between audits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coffey.traffic.selection import Selection

_COLUMNS = ("unix_s", "confidence", "audit", "audit_probability", "audit_rate")


def sum_rates(
    served: Selection, moments: Sequence[float], *, after: float, edges: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Sums of the audit rates of requests that were not chosen: [moments, len(edges) + 1].

    Part by part, so that memory does not grow with the traffic; what ended before `after` is not read.

    Args:
        served: the requests of one model.
        moments: when audited requests were answered, rising (seconds since 1970); each ends a stretch.
        after: when the first stretch begins.
        edges: confidences from which the next bin begins, rising.
    """
    bins = len(edges) + 1
    sums = np.zeros(len(moments) * bins)
    for part in served.parts:
        if part.last_unix_s > after and len(moments):
            table = part.table(_COLUMNS)
            table = table.filter(~pc.field("audit") & (pc.field("unix_s") > after))
            table = table.filter(pc.field("unix_s") <= moments[-1])
            stretch = np.searchsorted(moments, _numbers(table, "unix_s"))
            level = np.searchsorted(edges, _numbers(table, "confidence"), side="right")
            rates = pc.coalesce(table.column("audit_rate"), table.column("audit_probability"))
            sums += np.bincount(stretch * bins + level, weights=rates.to_numpy(), minlength=len(sums))
    return sums.reshape(len(moments), bins)


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = table.column(name).to_numpy()
    return found
