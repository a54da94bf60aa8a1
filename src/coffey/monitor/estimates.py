"""Agreement of all requests, estimated from audits: over all of them, and over stretches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.core.records import Audit, Interval
from coffey.stats.active_mean import ActiveAudits, active_sequence, active_share
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.confidence_sequence import ConfidenceSequence
from coffey.stats.intervals import weighted_share


@dataclass(frozen=True, slots=True)
class Estimates:
    """Agreement of all requests over stretches of audits.

    Where every audit of a stretch was drawn by confidence and the requests between were counted, these are
    taken together (`stats.active_mean`); else audits are weighted.
    """

    agree: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    active: ActiveAudits | None
    """The audits with the requests between them; None where none are counted."""
    counted: npt.NDArray[np.bool_]
    """Which audits those are [n]."""
    before: npt.NDArray[np.int64]
    """How many of those come before each audit [n + 1]."""

    @classmethod
    def of(
        cls, audits: Sequence[Audit], weights: npt.NDArray[np.float64], bins: ConfidenceBins | None
    ) -> Estimates:
        """Of audits with these weights (`audit_weights`); `bins` are those they were aimed by, or None."""
        agree = np.array([audit.agreement for audit in audits], dtype=np.float64)
        kept = [
            (audit.rate, audit.passed)
            if bins is not None and audit.rate is not None and audit.passed is not None
            else None
            for audit in audits
        ]
        counted = np.array([one is not None for one in kept], dtype=np.bool_)
        before = np.r_[0, np.cumsum(counted)]
        if bins is None or not counted.any():
            return cls(agree, weights, None, counted, before)
        active = ActiveAudits(
            bins=bins,
            score=agree[counted],
            index=np.array([bins.index(one.confidence) for one in audits])[counted],
            rate=np.array([one[0] for one in kept if one is not None]),
            probability=np.array([one.probability for one in audits])[counted],
            passed=np.array([one[1] for one in kept if one is not None], dtype=np.float64),
        )
        return cls(agree, weights, active, counted, before)

    def overall(self) -> Interval:
        """Over all audits; it holds at every moment at once."""
        if self.active is not None:
            return active_sequence(
                self.active, scores=self.agree[~self.counted], weights=self.weights[~self.counted]
            )
        sequence = ConfidenceSequence()
        sequence.extend(self.agree.tolist(), self.weights.tolist())
        return sequence.interval()

    def between(self, start: int, stop: int) -> Interval:
        """Over the audits from `start` up to `stop`, at one look."""
        if self.active is not None and self.counted[start:stop].all():
            return active_share(self.active.part(int(self.before[start]), int(self.before[stop])))
        return weighted_share(self.agree[start:stop], self.weights[start:stop])
