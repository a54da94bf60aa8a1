"""Digests: what an input, a file or a set of answers is called."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from pathlib import Path

KEY_BYTES = 16
"""128 bits: among 10^12 inputs a collision has a chance of about 10^-15."""


def input_key(text: str) -> str:
    """The key of one input: 32 hex characters that depend on every character of `text` and nothing else.

    The text is not normalized: two spellings are two questions to the teacher.

    >>> input_key("a") == input_key("a"), input_key("a") == input_key("a ")
    (True, False)
    """
    return hashlib.blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES, person=b"coffey.input.v1"
    ).hexdigest()


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_json(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`, in hex.

    >>> digest_json({"b": 1, "a": 2}) == digest_json({"a": 2, "b": 1})
    True
    """
    return digest_bytes(canonical_json(value))


def digest_bytes(data: bytes) -> str:
    """SHA-256 of `data`, in hex."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_unordered(parts: Iterable[bytes]) -> str:
    """A digest of a multiset of byte strings: the same whatever their order.

    The sum, modulo 2^256, of the SHA-256 of each part (Bellare and Micciancio 1997, AdHash). Good against
    accidents, not against an adversary who chooses the parts.

    >>> digest_unordered([b"x", b"y"]) == digest_unordered([b"y", b"x"])
    True
    """
    total = 0
    for part in parts:
        total += int.from_bytes(hashlib.sha256(part).digest(), "big")
    return (total % (1 << 256)).to_bytes(32, "big").hex()


def fresh_id() -> str:
    """A random 96-bit id in hex, for requests and processes."""
    return secrets.token_hex(12)
