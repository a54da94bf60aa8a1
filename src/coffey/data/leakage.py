"""Examples of the transfer set that the holdout has too, word for word or nearly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from coffey.core.ids import input_key
from coffey.core.records import Example
from coffey.data.minhash import BandIndex, signatures
from coffey.data.shingles import HashedShingles, Numbering, hash_shingles, jaccard, triples, words

CHUNK = 8192
"""Transfer texts held at once."""
SHOWN_PAIRS = 20


@dataclass(frozen=True, slots=True)
class LeakPair:
    """A transfer example and the holdout example it repeats."""

    transfer: Example
    holdout: Example
    similarity: float
    """Jaccard similarity of their word 3-grams."""


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What the transfer set shares with the holdout."""

    transfer: int
    """Rows of the transfer set."""
    holdout: int
    """Rows of the holdout."""
    exact: int
    """Transfer rows whose text stands in the holdout, character for character."""
    near: int
    """Other transfer rows that are near-duplicates of a holdout text."""
    duplicates: int
    """Transfer rows that repeat an earlier transfer row."""
    leaking: frozenset[str]
    """Input keys to leave out of the transfer set: those of the exact and the near rows."""
    pairs: tuple[LeakPair, ...]
    """A few of the pairs."""


def find_leaks(
    transfer: Iterable[Example], holdout: Iterable[Example], *, near_duplicate: float
) -> LeakReport:
    """Find transfer rows that repeat holdout texts. The holdout is held in memory, the transfer set streamed.

    Two texts are near-duplicates when the Jaccard similarity of their sets of word 3-grams (lower case,
    without punctuation) is at least `near_duplicate`. Every pair is verified; a pair at the threshold is
    missed with probability at most `minhash.MAX_MISS`, a more similar one with less. Texts of one or two
    words are near-duplicates only if their words are the same.
    """
    index = _Holdout(list(holdout), near_duplicate)
    seen: set[str] = set()
    found: dict[str, LeakPair] = {}
    counts = {"rows": 0, "exact": 0, "near": 0}
    for chunk in _chunks(transfer):
        keys = [input_key(example.text) for example in chunk]
        fresh: dict[str, Example] = {}
        for key, example in zip(keys, chunk, strict=True):
            if key not in seen:
                fresh.setdefault(key, example)
        found.update(index.matches(fresh))
        seen.update(fresh)
        counts["rows"] += len(chunk)
        counts["exact"] += sum(key in index.by_key for key in keys)
        counts["near"] += sum(key in found and key not in index.by_key for key in keys)
    return LeakReport(
        transfer=counts["rows"],
        holdout=len(index.examples),
        exact=counts["exact"],
        near=counts["near"],
        duplicates=counts["rows"] - len(seen),
        leaking=frozenset(found),
        pairs=_shown(found, index),
    )


class _Holdout:
    """The holdout, indexed for look-ups."""

    def __init__(self, examples: Sequence[Example], threshold: float) -> None:
        self.examples = examples
        self.by_key = {input_key(example.text): example for example in reversed(examples)}
        self._threshold = threshold
        self._distinct = list(self.by_key.values())
        self._numbering = Numbering()
        numbered = [self._numbering.learn(words(example.text)) for example in self._distinct]
        self._triples = [triples(numbers) for numbers in numbered]
        shingles = hash_shingles(numbered) if numbered else _NOTHING
        self._known = np.unique(shingles.hashes)
        self._index = BandIndex(signatures(shingles), threshold) if numbered else None

    def matches(self, asked: dict[str, Example]) -> dict[str, LeakPair]:
        """For each asked key that leaks, the pair that shows it."""
        exact = {
            key: LeakPair(one, self.by_key[key], 1.0) for key, one in asked.items() if key in self.by_key
        }
        others = [(key, one) for key, one in asked.items() if key not in exact]
        return exact | self._near(others)

    def _near(self, asked: Sequence[tuple[str, Example]]) -> dict[str, LeakPair]:
        if self._index is None or not asked:
            return {}
        numbered = self._numbering.look_up([words(example.text) for _, example in asked])
        shingles = hash_shingles(numbered)
        possible = self._possible(shingles)
        found: dict[str, LeakPair] = {}
        for place, holdout, similarity in self._verified([numbered[place] for place in possible]):
            key, example = asked[possible[place]]
            found[key] = LeakPair(example, self._distinct[holdout], similarity)
        return found

    def _possible(self, shingles: HashedShingles) -> list[int]:
        """Texts that share enough 3-grams with the whole holdout to be near to any one of its texts.

        The intersection with one text is at most that with all of them, and the union at least the text's
        own set, so a smaller share rules the text out.
        """
        places = np.searchsorted(self._known, shingles.hashes).clip(max=len(self._known) - 1)
        shared = np.add.reduceat(
            (self._known[places] == shingles.hashes).astype(np.int64), shingles.starts[:-1]
        )
        sizes = np.diff(shingles.starts)
        return [int(place) for place in np.flatnonzero(shared >= self._threshold * sizes - 1e-9)]

    def _verified(self, numbered: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, float]]:
        """Place, holdout place and similarity of one true near-duplicate for each text that has any."""
        if not numbered or self._index is None:
            return
        sets = [triples(numbers) for numbers in numbered]
        done: set[int] = set()
        tried: set[tuple[int, int]] = set()
        for queries, held in self._index.candidates(signatures(hash_shingles(numbered))):
            for query, holdout in zip(queries.tolist(), held.tolist(), strict=True):
                if query in done or (query, holdout) in tried:
                    continue
                tried.add((query, holdout))
                similarity = jaccard(sets[query], self._triples[holdout])
                if similarity >= self._threshold:
                    done.add(query)
                    yield query, holdout, similarity


_NOTHING = HashedShingles(np.empty(0, np.uint64), np.zeros(1, np.int64))


def _chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    iterator = iter(examples)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _shown(found: dict[str, LeakPair], index: _Holdout) -> tuple[LeakPair, ...]:
    """A few pairs, near-duplicates first: they are the ones a person wants to judge."""
    near = [pair for key, pair in found.items() if key not in index.by_key]
    exact = [pair for key, pair in found.items() if key in index.by_key]
    return tuple((near[:SHOWN_PAIRS] + exact)[:SHOWN_PAIRS])
