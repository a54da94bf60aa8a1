"""Which inputs are kept for validation: decided by their digest, never by their position."""

from __future__ import annotations

import hashlib


def in_validation(key: str, *, share: float, seed: int) -> bool:
    """Whether the input with this key (`core.ids.input_key`) belongs to the validation split.

    The same text is always on the same side, wherever it stands and however often. `share` is the expected
    share of distinct inputs, from 0 to 1.

    >>> in_validation("00ff", share=0.0, seed=1), in_validation("00ff", share=1.0, seed=1)
    (False, True)
    """
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8, person=b"coffey.split.v1").digest()
    return int.from_bytes(digest, "big") < share * 2.0**64
