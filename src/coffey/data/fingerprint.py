"""What a set of examples is called."""

from __future__ import annotations

from collections.abc import Iterable

from coffey.core.ids import canonical_json, digest_unordered, input_key
from coffey.core.records import Example


def fingerprint(examples: Iterable[Example]) -> str:
    """A digest of the texts and labels: the same whatever the order and the files, other for any change.

    >>> a, b = Example("x", "1"), Example("y", None)
    >>> fingerprint([a, b]) == fingerprint([b, a]), fingerprint([a]) == fingerprint([a, a])
    (True, False)
    """
    return digest_unordered(canonical_json([input_key(one.text), one.label]) for one in examples)
