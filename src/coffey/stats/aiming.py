"""What audits say that were aimed at unsure requests, as gains of the bets of an `EDetector`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.stats.confidence_bins import ConfidenceBins

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Aim:
    """Turns requests into what bets of an `EDetector` gain by them.

    For a request of bin b, drawn for audit (A = 1) with probability p, the unbiased estimate of its score y
    is z = h + A (y - h) / p, for any h fixed before y is known: the control variate, here the bin's
    agreement, moved so that its mean is the tested one. With the mean probability P of that time ("rate"),
    a bet gains P (m - z):

        not audited     P (m - h)
        audited         P (m - h) + (P / p) (h - y)

    Over A its mean is P (m - y), so bins that are wrong cost power and never validity. The largest loss is
    an audited y = 1: `reach`.
    """

    mean: float
    """The tested mean score m."""
    control: Vector
    """h of each bin [bins]."""
    spread: float
    """Variance of a gain at m where the bins are right, per audit."""
    reach: float
    """No gain is under -reach."""

    @classmethod
    def of(cls, bins: ConfidenceBins, mean: float) -> Aim:
        """For audits drawn with `bins.lift` times any rate, the probability being at most 1."""
        level, lift = np.array(bins.agreement), np.array(bins.lift)
        control = np.clip(level + mean - bins.mean, 0.01, 0.99)
        losses = (1 - control + np.maximum(0.0, control - mean)) / lift
        return cls(
            mean=mean,
            control=control,
            spread=float((level * (1 - level) / lift) @ np.array(bins.share)),
            reach=max(1 - mean, float(losses.max())),
        )

    def passed(self, rate: float | Vector) -> Vector:
        """What bets gain by a request of each bin that was not audited: [..., bins]."""
        gains: Vector = np.asarray(rate)[..., None] * (self.mean - self.control)
        return gains

    def audited(
        self,
        score: float | Vector,
        index: int | npt.NDArray[np.integer],
        *,
        rate: float | Vector,
        probability: float | Vector,
    ) -> Vector:
        """What bets gain by audits of these scores and bins, drawn with these probabilities: [...]."""
        control = self.control[index]
        gains: Vector = np.asarray(
            rate * (self.mean - control) + (rate / probability) * (control - np.asarray(score))
        )
        return gains
