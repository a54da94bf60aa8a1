"""How narrow the interval of agreement is, and how often it holds.

Aimed audits with the requests between them, the same audits by their weights alone, and as many uniform ones:
for one look at a window of 200 audits, and for a sequence that holds at every look at once, after 2,000.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval
from coffey.stats.active_mean import ActiveAudits, active_sequence, active_share
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.confidence_sequence import ConfidenceSequence
from coffey.stats.intervals import weighted_share, wilson

WINDOW, LONG, LOOKS = 200, 2000, 10
RATE = 0.01
NONE: npt.NDArray[np.float64] = np.zeros(0)


def drawn(rng: np.random.Generator, bins: ConfidenceBins, count: int) -> ActiveAudits:
    """Audits of requests that are as the bins say."""
    share, lift, level = (np.array(part) for part in (bins.share, bins.lift, bins.agreement))
    chance = np.minimum(1, RATE * lift)
    audited = float(share @ chance)
    index = rng.choice(len(share), size=count, p=share * chance / audited)
    passing = share * (1 - chance) / (1 - audited)
    passed = rng.multinomial(rng.geometric(audited, size=count) - 1, passing).astype(float)
    score = (rng.random(count) < level[index]).astype(float)
    return ActiveAudits(bins, score, index, np.full(count, RATE), chance[index], passed)


def one_look(audits: ActiveAudits, even: npt.NDArray[np.float64]) -> dict[str, Interval]:
    weights = audits.probability.min() / audits.probability
    return {
        "active": active_share(audits),
        "weighted": weighted_share(audits.score, weights),
        "uniform": wilson(float(even.sum()), len(even)),
    }


def every_look(audits: ActiveAudits, even: npt.NDArray[np.float64]) -> dict[str, Interval]:
    weights = audits.probability.min() / audits.probability
    weighted, uniform = ConfidenceSequence(), ConfidenceSequence()
    weighted.extend(audits.score.tolist(), weights.tolist())
    uniform.extend(even.tolist(), [1.0] * len(even))
    return {
        "active": active_sequence(audits, scores=NONE, weights=NONE),
        "weighted": weighted.interval(),
        "uniform": uniform.interval(),
    }


def widths(bins: ConfidenceBins, runs: int, *, seed: int) -> dict[str, dict[str, float]]:
    """Median widths."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[dict[str, float]]] = {"one look": [], "every look": []}
    for name, count, look in (("one look", WINDOW, one_look), ("every look", LONG, every_look)):
        for _ in range(runs):
            even = (rng.random(count) < bins.mean).astype(float)
            intervals = look(drawn(rng, bins, count), even)
            found[name].append({kind: one.high - one.low for kind, one in intervals.items()})
    return {
        name: {kind: float(np.median([one[kind] for one in rows])) for kind in rows[0]}
        for name, rows in found.items()
    }


def coverage(bins: ConfidenceBins, runs: int, *, seed: int) -> dict[str, dict[str, Any]]:
    """Shares of the runs whose interval holds the truth: at one look; at all of ten looks."""
    rng = np.random.default_rng(seed)
    held: dict[str, dict[str, int]] = {"one look": {}, "every look": {}}

    def count(name: str, kind: str, ok: bool) -> None:
        held[name][kind] = held[name].get(kind, 0) + ok

    for _ in range(runs):
        audits, even = drawn(rng, bins, LONG), (rng.random(LONG) < bins.mean).astype(float)
        for kind, one in one_look(audits.part(0, WINDOW), even[:WINDOW]).items():
            count("one look", kind, one.low <= bins.mean <= one.high)
        looks = [
            every_look(audits.part(0, end), even[:end])
            for end in np.linspace(WINDOW, LONG, LOOKS).astype(int).tolist()
        ]
        for kind in looks[0]:
            count("every look", kind, all(one[kind].low <= bins.mean <= one[kind].high for one in looks))
    return {
        name: {kind: _share(number, runs) for kind, number in kinds.items()} for name, kinds in held.items()
    }


def _share(number: int, runs: int) -> dict[str, float]:
    found = wilson(number, runs)
    return {"share": found.value, "low": found.low, "high": found.high}
