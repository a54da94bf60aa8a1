"""Keys of inputs in numpy: packed to 16 bytes each, and an index that finds and grows quickly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coffey.core.ids import KEY_BYTES

Keys = npt.NDArray[np.bytes_]
"""Packed keys, dtype S16. Read bytes with `tobytes`: taking one element strips trailing zero bytes."""

Rows = npt.NDArray[np.int64]

_DTYPE = np.dtype(f"S{KEY_BYTES}")


def pack_keys(keys: Sequence[str] | Keys) -> Keys:
    """Hex keys (`core.ids.input_key`) as packed keys; packed keys as they are."""
    if isinstance(keys, np.ndarray):
        return keys.astype(_DTYPE, copy=False)
    return np.frombuffer(bytes.fromhex("".join(keys)), dtype=_DTYPE)


def unpack_keys(keys: Keys) -> list[str]:
    """Packed keys as hex keys.

    >>> unpack_keys(pack_keys(["ab" * 15 + "00"]))
    ['ababababababababababababababab00']
    """
    text = np.ascontiguousarray(keys).tobytes().hex()
    width = 2 * KEY_BYTES
    return [text[start : start + width] for start in range(0, len(text), width)]


class KeyIndex:
    """Numbers keys 0, 1, 2, … in the order they are added, and finds the number of a key.

    Sorted runs that double in size, searched by bisection: 24 bytes a key, adding n keys costs O(n log n) in
    all, and no Python object is kept for a key.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Keys, Rows]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, keys: Keys) -> None:
        """Number `keys`, which must be distinct and not be here yet."""
        numbers = np.arange(self._count, self._count + len(keys), dtype=np.int64)
        self._count += len(keys)
        self._push(keys, numbers)
        while len(self._runs) > 1 and len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0]):
            (low, low_numbers), (high, high_numbers) = self._runs.pop(-2), self._runs.pop()
            self._push(np.concatenate([low, high]), np.concatenate([low_numbers, high_numbers]))

    def find(self, keys: Keys) -> Rows:
        """The number of each key, int64 [n]; -1 where it is not here."""
        found = np.full(len(keys), -1, dtype=np.int64)
        for run, numbers in self._runs:
            at = np.minimum(np.searchsorted(run, keys), len(run) - 1)
            hit = run[at] == keys
            found[hit] = numbers[at[hit]]
        return found

    def keys(self) -> Keys:
        """All keys, in the order of their numbers."""
        ordered = np.zeros(self._count, dtype=_DTYPE)
        for run, numbers in self._runs:
            ordered[numbers] = run
        return ordered

    def _push(self, keys: Keys, numbers: Rows) -> None:
        if len(keys):
            order = np.argsort(keys, kind="stable")
            self._runs.append((keys[order], numbers[order]))


def first_of_each(keys: Keys) -> Rows:
    """Positions of the first of each distinct key, in their order in `keys`."""
    _, first = np.unique(keys, return_index=True)
    return np.sort(first).astype(np.int64)
