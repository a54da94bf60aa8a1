"""How often a student agrees with its teacher, by how sure the student is: a step function of confidence.

One label about a request of a bin whose agreement is f has the variance f (1 - f), so for a given number of
labels the mean is known best when each request is audited in proportion to sqrt(f (1 - f)) (Neyman 1934;
active inference, Zrnic and Candès 2024). The bins may be wrong: half of the audits stay uniform.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST = 100
"""Rows below which nothing is fitted."""

UNIFORM = 0.5
"""Share of the audits that is drawn uniformly, whatever the confidence: no request is drawn with less than
half the mean probability, and where the bins tell nothing at most twice the labels are needed."""

_SHARES = (0.03, 0.03, 0.06, 0.12, 0.25, 0.51)
"""Shares of the rows by rising confidence: errors crowd among the unsure, so bins are finer there."""

_PRIOR_ROWS = 2.0
"""Rows at the mean agreement that each bin begins with, so that no bin is certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceBins:
    """Agreement by confidence; the bins rise in both."""

    edges: tuple[float, ...]
    """Confidences from which the next bin begins, rising; one fewer than bins."""
    agreement: tuple[float, ...]
    """Mean agreement in each bin, strictly between 0 and 1."""
    share: tuple[float, ...]
    """Share of the requests in each bin."""
    lift: tuple[float, ...]
    """Probability of an audit in each bin divided by the mean one; kept, so that who draws and who weighs
    know the same."""

    @classmethod
    def of(
        cls, *, edges: tuple[float, ...], agreement: tuple[float, ...], share: tuple[float, ...]
    ) -> ConfidenceBins:
        """Bins whose audits are aimed by their agreement.

        >>> bins = ConfidenceBins.of(edges=(0.9,), agreement=(0.5, 0.99), share=(0.1, 0.9))
        >>> [round(lift, 2) for lift in bins.lift]
        [2.29, 0.86]
        """
        level, part = np.array(agreement), np.array(share)
        spread = np.sqrt(level * (1 - level))
        lift = UNIFORM + (1 - UNIFORM) * spread / (spread @ part)
        return cls(edges=edges, agreement=agreement, share=share, lift=tuple(lift.tolist()))

    def __len__(self) -> int:
        return len(self.share)

    def index(self, confidence: float) -> int:
        """The bin of one request.

        >>> bins = ConfidenceBins.of(edges=(0.6, 0.9), agreement=(0.5, 0.8, 0.99), share=(0.1, 0.2, 0.7))
        >>> [bins.index(confidence) for confidence in (0.3, 0.6, 0.95)]
        [0, 1, 2]
        """
        return bisect_right(self.edges, confidence)

    @property
    def mean(self) -> float:
        """Agreement of all requests together."""
        return float(np.dot(self.agreement, self.share))


def fit_bins(
    confidence: npt.NDArray[np.floating], agreement: npt.NDArray[np.floating] | npt.NDArray[np.bool_]
) -> ConfidenceBins | None:
    """The step function of held rows [n]; None for fewer than `LEAST` rows or a single level.

    Neighbouring bins whose agreement does not rise are joined (pool adjacent violators, Ayer et al. 1955),
    which also keeps equal confidences together.
    """
    if len(confidence) < LEAST:
        return None
    order = np.argsort(confidence, kind="stable")
    sure = np.asarray(confidence, dtype=np.float64)[order]
    score = np.asarray(agreement, dtype=np.float64)[order]
    cuts = np.round(np.cumsum(_SHARES[:-1]) * len(sure)).astype(int)
    edges = sorted({float(sure[cut]) for cut in cuts} - {float(sure[0])})
    starts = np.searchsorted(sure, edges)
    blocks = [(float(part.sum()), len(part)) for part in np.split(score, starts)]
    kept = _pooled(blocks, float(score.mean()))
    firsts = np.cumsum([0, *(rows for _, rows in kept)])[1:-1]
    if not len(firsts):
        return None
    return ConfidenceBins.of(
        edges=tuple(float(sure[first]) for first in firsts),
        agreement=tuple(level for level, _ in kept),
        share=tuple(rows / len(sure) for _, rows in kept),
    )


def _pooled(blocks: list[tuple[float, int]], mean: float) -> list[tuple[float, int]]:
    """Levels that rise, and the rows of each, of neighbouring blocks' sums and rows."""
    kept: list[tuple[float, int]] = []
    for total, rows in blocks:
        kept.append((total, rows))
        while len(kept) > 1 and not _rises(kept[-2], kept[-1], mean):
            (one, more), (two, last) = kept[-2:]
            kept[-2:] = [(one + two, more + last)]
    return [(_level(total, rows, mean), rows) for total, rows in kept]


def _rises(lower: tuple[float, int], upper: tuple[float, int], mean: float) -> bool:
    """Whether the upper bin's rows agree more often, by themselves and with the prior."""
    by_itself = lower[0] / lower[1] < upper[0] / upper[1]
    return by_itself and _level(*lower, mean) < _level(*upper, mean)


def _level(total: float, rows: int, mean: float) -> float:
    """Never 0 or 1: half a row of each beside the prior."""
    return (total + _PRIOR_ROWS * mean + 0.5) / (rows + _PRIOR_ROWS + 1)
