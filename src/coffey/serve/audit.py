"""Which served requests the teacher answers again: a choice that anybody can repeat from the record."""

from __future__ import annotations

import hashlib

_RANGE = float(1 << 64)


class AuditChoice:
    """Chooses each id with the same probability, by a keyed hash of the id.

    The id is made before the request is answered and holds nothing of its text, so the choice depends on
    neither the input nor the outcome. Whoever knows the seed can make it again.

    >>> choice = AuditChoice(probability=0.5, seed=7)
    >>> choice.chosen("a") == AuditChoice(probability=0.5, seed=7).chosen("a")
    True
    """

    def __init__(self, *, probability: float, seed: int) -> None:
        self.probability = probability
        self.seed = seed
        self._below = probability * _RANGE
        self._key = seed.to_bytes(8, "little", signed=True)

    def chosen(self, record_id: str) -> bool:
        """Whether the record with this id is audited."""
        digest = hashlib.blake2b(record_id.encode(), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little") < self._below
