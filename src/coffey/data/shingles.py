"""Texts as sets of word 3-grams."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_PLAIN_WORD = re.compile(r"[a-z0-9_]+")
# Thai, Lao, Burmese, Khmer, kana and Han are written without spaces: each character counts as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

Triple = tuple[int, int, int]


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation; the text itself when it has none.

    >>> words("What's my balance?"), words("!?")
    (['what', 's', 'my', 'balance'], ['!?'])
    """
    folded = text.casefold()
    found = (_PLAIN_WORD if folded.isascii() else _WORD).findall(folded)
    return found or [" ".join(text.split())]


class Numbering:
    """Words as whole numbers from 1; words first met in a lookup get numbers that the next lookup forgets."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def learn(self, tokens: Sequence[str]) -> list[int]:
        """Numbers of `tokens`, kept for good."""
        known = self._known
        return [known.setdefault(token, len(known) + 1) for token in tokens]

    def look_up(self, texts: Sequence[Sequence[str]]) -> list[list[int]]:
        """Numbers of the words of `texts`; equal words have equal numbers within one call."""
        known, fresh = self._known, dict[str, int]()
        base = len(known) + 1
        return [
            [known.get(token) or fresh.setdefault(token, base + len(fresh)) for token in tokens]
            for tokens in texts
        ]


def triples(numbers: Sequence[int]) -> frozenset[Triple]:
    """The set of 3-grams; a text of one or two words has one, filled up with 0.

    >>> sorted(triples([1, 2, 3, 4])), sorted(triples([7]))
    ([(1, 2, 3), (2, 3, 4)], [(7, 0, 0)])
    """
    if len(numbers) < 3:
        first, second = (*numbers, 0, 0)[:2]
        return frozenset({(first, second, 0)})
    return frozenset(zip(numbers, numbers[1:], numbers[2:], strict=False))


def jaccard(one: frozenset[Triple], other: frozenset[Triple]) -> float:
    """Size of the intersection over size of the union (Jaccard 1901)."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


@dataclass(frozen=True, slots=True)
class HashedShingles:
    """64-bit hashes of the distinct 3-grams of n texts, one after another.

    `hashes` is uint64 [total]; those of text i are `hashes[starts[i]:starts[i + 1]]`, with `starts` int64
    [n + 1]. Every text has at least one.
    """

    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]


def hash_shingles(texts: Sequence[Sequence[int]]) -> HashedShingles:
    """Hash the 3-grams of numbered texts; repeated 3-grams within a text are kept once."""
    lengths = np.fromiter((max(len(text), 3) for text in texts), np.int64, len(texts))
    padded = (number for text in texts for number in (text if len(text) >= 3 else (*text, 0, 0)[:3]))
    flat = np.fromiter(padded, np.uint64, int(lengths.sum()))
    hashed = _mix(_mix(_mix(flat[:-2]) + flat[1:-1]) + flat[2:])
    counts = lengths - 2
    offsets = np.cumsum(lengths) - lengths
    owner = np.repeat(np.arange(len(texts)), counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    hashed = hashed[offsets[owner] + within]
    order = np.lexsort((hashed, owner))
    hashed, owner = hashed[order], owner[order]
    first = np.ones(len(owner), dtype=bool)
    first[1:] = (hashed[1:] != hashed[:-1]) | (owner[1:] != owner[:-1])
    starts = np.searchsorted(owner[first], np.arange(len(texts) + 1))
    return HashedShingles(hashed[first], starts.astype(np.int64))


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea and Flood 2014), a bijection of 64-bit numbers."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
