"""The Pareto set is the one of the definition, and what is not known beats nobody."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coffey.economics.pareto import Position, beaten_by

FEW = st.sampled_from([0.5, 1.0, 2.0, 3.0])
"""Few values, so that ties are common."""
KNOWN = st.builds(Position, latency_ms=FEW, quality=FEW, usd_per_1k=FEW)
ANY = st.builds(Position, latency_ms=FEW, quality=st.none() | FEW, usd_per_1k=FEW)


@given(st.lists(KNOWN, max_size=12))
def test_it_is_the_set_of_the_definition(positions: list[Position]) -> None:
    """Brute force over all pairs: in the set is what no other dominates."""
    table = np.array([(p.latency_ms, -p.quality, p.usd_per_1k) for p in positions]).reshape(-1, 3)
    as_good = (table[:, None, :] <= table[None, :, :]).all(axis=2)
    better = (table[:, None, :] < table[None, :, :]).any(axis=2)
    dominated = (as_good & better).any(axis=0)
    found = beaten_by(positions)
    assert [rival is not None for rival in found] == list(dominated)
    for loser, rival in enumerate(found):
        if rival is not None:
            assert as_good[rival, loser]
            assert better[rival, loser]


@given(st.lists(KNOWN, min_size=1, max_size=12))
def test_whoever_is_beaten_is_beaten_by_one_of_the_set(positions: list[Position]) -> None:
    """The set is never empty, and it covers everything outside it."""
    found = beaten_by(positions)
    best = [position for position, rival in zip(positions, found, strict=True) if rival is None]
    assert best
    for position, rival in zip(positions, found, strict=True):
        if rival is not None:
            assert beaten_by([*best, position])[-1] is not None


@given(st.lists(ANY, max_size=12))
def test_an_unknown_quality_is_neither_beaten_nor_beats(positions: list[Position]) -> None:
    """Nothing can be said of it, and the others stand as if it were not there."""
    found = beaten_by(positions)
    known = [position for position in positions if position.quality is not None]
    assert [rival is None for p, rival in zip(positions, found, strict=True) if p.quality is None] == [
        True
    ] * (len(positions) - len(known))
    assert [rival is None for p, rival in zip(positions, found, strict=True) if p.quality is not None] == [
        rival is None for rival in beaten_by(known)
    ]


def test_without_requests_latency_and_quality_decide() -> None:
    """No price of a request is known then, so none is compared."""
    fast, slow = (Position(latency_ms=ms, quality=0.9, usd_per_1k=None) for ms in (1.0, 2.0))
    assert beaten_by([slow, fast]) == [1, None]
