"""A latency record says what was measured, and nothing between the measurements."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.bench.alternate import alternate
from coffey.bench.inputs import sample_texts
from coffey.bench.summary import summarize


def test_percentiles_are_measured_values_and_samples_keep_the_extremes() -> None:
    """Nearest rank of 1 to 5,000 ms; 2,000 order statistics with the smallest and the largest."""
    times = np.random.default_rng(1).permutation(np.arange(1.0, 5001.0)) / 1000
    found = summarize(times, subject="s", path="http", load="open", elapsed_s=10.0, errors=100)
    assert found.p50_ms == 2500
    assert found.p95_ms == 4750
    assert found.p99_ms == 4950
    assert found.rps == 490
    assert len(found.sample_ms) == 2000
    assert (found.sample_ms[0], found.sample_ms[-1]) == (1.0, 5000.0)
    assert list(found.sample_ms) == sorted(found.sample_ms)


def test_subjects_take_turns_and_another_begins_each_round() -> None:
    """Drift of the machine falls on all subjects alike."""
    order: list[str] = []

    def turn(name: str, seconds: float):  # type: ignore[no-untyped-def]
        def measure() -> np.ndarray:
            order.append(name)
            return np.full(3, seconds)

        return measure

    found = alternate({"a": turn("a", 0.001), "b": turn("b", 0.002)}, rounds=3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found["b"].p50_ms == 2.0
    assert found["b"].spread == 1.0
    assert len(found["a"].pooled_s) == 9


def test_texts_are_drawn_by_the_seed() -> None:
    """The same seed asks the same texts; no text at all is refused."""
    texts = [str(number) for number in range(100)]
    assert sample_texts(texts, 10, seed=1) == sample_texts(texts, 10, seed=1)
    assert sample_texts(texts, 10, seed=1) != sample_texts(texts, 10, seed=2)
    assert sorted(sample_texts(["a", "b"], 10, seed=1)) == ["a", "b"]
    with pytest.raises(ValueError, match="No text"):
        sample_texts([], 10, seed=1)
