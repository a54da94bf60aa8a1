"""A slice of 5 % of the traffic that loses 15 points: the labels until it is named, and what else is named.

20 labels of 5 % each, some harder than others, four bins of length, twelve clusters and what is unlike them,
all drawn apart: 37 slices. The promise was measured on 2,000 examples. After 10,000 labels, ten days at the
default budget, one label loses 15 points where the student errs, 0.75 of the whole. All slices are looked at
every 250 labels. The other labels are false when they are named; lengths and clusters hold a part of the one
that fell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coffey.monitor.baseline import Baseline
from coffey.monitor.slice_groups import Rows
from coffey.monitor.slices import FALSE_SHARE, examine
from coffey.stats.clusters import UNLIKE, Clusters
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.intervals import wilson

NAMES = [f"label {number:02}" for number in range(20)]
FALLEN = 10
HARDNESS = np.linspace(0.5, 1.5, len(NAMES))
CLUSTERS = 12
EXAMPLES, BEFORE, AFTER, EVERY = 2000, 10_000, 10_000, 250
DROP = 0.15

Vector = npt.NDArray[np.float64]


def levels(bins: ConfidenceBins) -> tuple[Vector, Vector]:
    """Agreement by label and bin [labels, bins], before and after the fall."""
    before = 1 - np.outer(HARDNESS, 1 - np.array(bins.agreement))
    odds = before[FALLEN] / (1 - before[FALLEN])
    shifts = np.linspace(-6, 0, 4001)[:, None]
    fallen = odds * np.exp(shifts) / (1 + odds * np.exp(shifts))
    share = np.array(bins.share)
    after = before.copy()
    after[FALLEN] = fallen[np.abs(fallen @ share - (before[FALLEN] @ share - DROP)).argmin()]
    return before, after


def simulated(rng: np.random.Generator, bins: ConfidenceBins, *, falls: bool, aimed: bool) -> Rows:
    """Examples of the promise, then audits; only audits are aimed."""
    count = EXAMPLES + BEFORE + AFTER
    share, lift = np.array(bins.share), np.array(bins.lift)
    audited = np.arange(count) >= EXAMPLES
    uniform, by_confidence = (rng.choice(len(bins), count, p=p / p.sum()) for p in (share, share * lift))
    level = np.where(audited & aimed, by_confidence, uniform)
    label = rng.integers(0, len(NAMES), count)
    before, after = levels(bins)
    fell = falls & (np.arange(count) >= EXAMPLES + BEFORE)
    right = rng.random(count) < np.where(fell, after[label, level], before[label, level])
    return Rows(
        said=np.array(NAMES)[label],
        agreement=right.astype(np.float64),
        weight=np.where(audited & aimed, lift.min() / lift[level], 1.0),
        tokens=rng.integers(0, 4, count).astype(np.float64),
        cluster=rng.integers(UNLIKE, CLUSTERS, count),
        known=EXAMPLES,
        many_labels=False,
    )


def first_rows(rows: Rows, count: int) -> Rows:
    return Rows(
        said=rows.said[:count],
        agreement=rows.agreement[:count],
        weight=rows.weight[:count],
        tokens=rows.tokens[:count],
        cluster=rows.cluster[:count],
        known=rows.known,
        many_labels=False,
    )


def groups_of(rows: Rows) -> Baseline:
    """What the slices are: `examine` reads no more of a baseline, its examples being the first rows."""
    nothing = np.zeros(0)
    return Baseline(
        labels=tuple(NAMES),
        said=(),
        agreement=nothing,
        weight=nothing,
        tokens=nothing.astype(np.int64),
        cluster=nothing.astype(np.int64),
        edges=np.array([1, 2, 3]),
        clusters=Clusters(np.eye(CLUSTERS, dtype=np.float32), 0.5),
    )


def looks(rows: Rows, promised: float, *, begin: int) -> list[tuple[int, set[str]]]:
    """Labels since `begin` and the slices named, look by look, until the fallen one is."""
    found = []
    for labels in range(EVERY, len(rows.agreement) - begin + 1, EVERY):
        seen = examine(first_rows(rows, begin + labels), groups_of(rows), promised=promised)
        found.append((labels, {one.group.name for one in seen if one.fell}))
        if f"answered {NAMES[FALLEN]!r}" in found[-1][1]:
            break
    return found


def fallen_slice(bins: ConfidenceBins, runs: int, *, aimed: bool, seed: int) -> dict[str, Any]:
    """Labels after the fall until it is named, and the share of false ones among those named then."""
    rng, name = np.random.default_rng(seed), f"answered {NAMES[FALLEN]!r}"
    waited, false = [], []
    for _ in range(runs):
        rows = simulated(rng, bins, falls=True, aimed=aimed)
        labels, named = looks(rows, bins.mean, begin=EXAMPLES + BEFORE)[-1]
        waited.append(labels if name in named else np.inf)
        others = {one for one in named if one.startswith("answered")} - {name}
        false.append(len(others) / max(1, len(named)))
    middle, late = (float(np.quantile(waited, q, method="higher")) for q in (0.5, 0.9))
    return {
        "median": middle if np.isfinite(middle) else None,
        "p90": late if np.isfinite(late) else None,
        "missed": int(np.isinf(waited).sum()),
        "false_share": float(np.mean(false)),
    }


def calm_slices(bins: ConfidenceBins, runs: int, *, aimed: bool, seed: int) -> dict[str, Any]:
    """Runs without any fall in which a slice is ever named."""
    rng = np.random.default_rng(seed)
    named = 0
    for _ in range(runs):
        rows = simulated(rng, bins, falls=False, aimed=aimed)
        named += any(names for _, names in looks(rows, bins.mean, begin=EXAMPLES))
    share = wilson(named, runs)
    return {"share": share.value, "low": share.low, "high": share.high, "stated": FALSE_SHARE}
