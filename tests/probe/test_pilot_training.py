"""Every training of a pilot is long enough to have learned the task."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from coffey.distill.stage import MOST_EVALUATIONS, StageConfig
from coffey.probe.pilot import affordable
from coffey.probe.pilot_training import _LEAST_STEPS, _long_enough, training_steps
from coffey.students.shape import EncoderShape

SHAPE = EncoderShape(1, 32, 1, 64, 100, 16, 3)


def config(*, epochs: float = 3.0, batch_size: int = 64, patience: int = 3) -> StageConfig:
    return StageConfig(
        name="1M", shape=SHAPE, taught_by=("root",), dropout=0.1, epochs=epochs, batch_size=batch_size,
        learning_rate=1e-3, warmup=0.1, temperature=1.0, hard_weight=0.1, hint_weight=0.0,
        relation_weight=0.0, patience=patience, seed=1, threads=1, checkpoint_seconds=60.0,
    )  # fmt: skip


def steps(found: StageConfig, rows: int) -> float:
    return found.epochs * math.ceil(rows / found.batch_size)


def test_a_small_subset_is_passed_over_more_often() -> None:
    """6 steps become 1,000, and patience is for the same share of the evaluations."""
    found = _long_enough(config(), 128, 40_000)
    assert steps(found, 128) == _LEAST_STEPS
    assert found.patience == 3 * MOST_EVALUATIONS / 3


def test_no_subset_is_trained_longer_than_the_whole() -> None:
    """A full training of 129 steps is not foreseen from trainings of 1,000."""
    assert steps(_long_enough(config(), 84, 2690), 84) == 3 * math.ceil(2690 / 64)


@given(
    size=st.integers(1, 10_000),
    more=st.integers(0, 100_000),
    epochs=st.floats(0.5, 50),
    batch=st.integers(1, 512),
)
def test_a_training_is_never_shorter_than_its_settings_make_it(
    size: int, more: int, epochs: float, batch: int
) -> None:
    """And its steps lie between the least and what the full training makes, whatever the sizes."""
    before = config(epochs=epochs, batch_size=batch)
    found = _long_enough(before, size, size + more)
    whole = epochs * math.ceil((size + more) / batch)
    assert found.epochs >= before.epochs * (1 - 1e-9)
    assert found.patience >= before.patience
    assert min(_LEAST_STEPS, whole) * (1 - 1e-9) <= steps(found, size) <= whole * (1 + 1e-9)


@given(
    full=st.integers(200, 1_000_000),
    points=st.integers(1, 6),
    epochs=st.floats(0.5, 50),
    batch=st.integers(1, 512),
)
def test_a_pilot_costs_no_more_than_the_run(full: int, points: int, epochs: float, batch: int) -> None:
    """Two trainings at most, or no more steps than the full training; the largest subset is always kept."""
    sizes = [full // 4 >> times for times in reversed(range(points))]

    def made(size: int) -> float:
        return training_steps(size, full, batch_size=batch, epochs=epochs)

    kept = affordable(sizes, full, made)
    assert kept == tuple(sizes[-len(kept) :])
    assert len(kept) >= min(2, points)
    assert len(kept) <= 2 or sum(map(made, kept)) <= made(full)
