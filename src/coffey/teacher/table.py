"""Answers in memory: key → probabilities, with one rule for keys that were answered twice."""

from __future__ import annotations

import numpy as np

from coffey.teacher.keys import KeyIndex, Keys, Rows, first_of_each
from coffey.teacher.protocol import Probabilities


class AnswerTable:
    """Answers by key. Absorbing the same answers in any order, any number of times, gives the same table.

    Of two different answers for one key (floating-point noise of two processes, say) the one with the
    smaller bytes is kept, so that the outcome does not depend on who came first.
    """

    def __init__(self, labels: int) -> None:
        self._index = KeyIndex()
        self._rows: Probabilities = np.empty((0, labels), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def keys(self) -> Keys:
        """All keys, in the order of the rows."""
        return self._index.keys()

    @property
    def probabilities(self) -> Probabilities:
        """All answers, float32 [count, labels], beside `keys`."""
        return self._rows[: len(self._index)]

    def absorb(self, keys: Keys, probabilities: Probabilities) -> None:
        """Add answers, float32 [len(keys), labels]; keys may repeat or be here already."""
        first = first_of_each(keys)
        keys, probabilities = keys[first], probabilities[first]
        found = self._index.find(keys)
        self._settle(found[found >= 0], probabilities[found >= 0])
        self._extend(keys[found < 0], probabilities[found < 0])

    def find(self, keys: Keys) -> Rows:
        """The row of each key, int64 [n]; -1 where it is not here."""
        return self._index.find(keys)

    def _settle(self, rows: Rows, others: Probabilities) -> None:
        for at in np.flatnonzero((self._rows[rows] != others).any(axis=1)):
            if others[at].tobytes() < self._rows[rows[at]].tobytes():
                self._rows[rows[at]] = others[at]

    def _extend(self, keys: Keys, probabilities: Probabilities) -> None:
        start, stop = len(self._index), len(self._index) + len(keys)
        if stop > len(self._rows):
            grown = np.empty((max(stop, 2 * len(self._rows)), self._rows.shape[1]), dtype=np.float32)
            grown[:start] = self._rows[:start]
            self._rows = grown
        self._rows[start:stop] = probabilities
        self._index.add(keys)
