"""Which served requests the teacher answers again: a choice that anybody can repeat from the record."""

from __future__ import annotations

import hashlib

from coffey.stats.confidence_bins import ConfidenceBins

_RANGE = float(1 << 64)


class AuditChoice:
    """Chooses ids by a keyed hash, unsure answers with a higher probability where it is known how unsure.

    The id is made before the request is answered and holds nothing of its text, so the choice depends on
    neither the input nor the outcome, beyond the confidence bin that sets its probability. Whoever knows the
    seed can make it again.

    >>> choice = AuditChoice(rate=0.5, seed=7)
    >>> choice.chosen("a", 0.5) == AuditChoice(rate=0.5, seed=7).chosen("a", 0.5)
    True
    """

    def __init__(self, *, rate: float, seed: int) -> None:
        self.rate = rate
        """Mean probability of an audit, over the requests that a model's bins were fitted on."""
        self.seed = seed
        self._key = seed.to_bytes(8, "little", signed=True)
        self._bins: ConfidenceBins | None = None
        self._by_bin: tuple[float, ...] = ()

    def probability(self, confidence: float, bins: ConfidenceBins | None) -> float:
        """The probability of an audit of an answer with this confidence, of a model with these bins."""
        if bins is None:
            return self.rate
        if bins is not self._bins:
            self._bins, self._by_bin = bins, tuple(min(1.0, self.rate * lift) for lift in bins.lift)
        return self._by_bin[bins.index(confidence)]

    def chosen(self, record_id: str, probability: float) -> bool:
        """Whether the record with this id is audited."""
        digest = hashlib.blake2b(record_id.encode(), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little") < probability * _RANGE
