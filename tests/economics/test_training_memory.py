"""Memory grows with the model and the batch, and shrinks with sharding."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.economics.training_memory import (
    Sharding,
    activation_bytes,
    largest_micro_batch,
    training_memory,
)
from coffey.economics.transformer import TransformerShape

SHAPE = TransformerShape(layers=12, width=768, heads=12, intermediate=3072, vocabulary=30522, outputs=2)
sizes = st.integers(1, 64)


def total(shape: TransformerShape = SHAPE, *, micro_batch: int = 8, tokens: int = 128, devices: int = 8,
          sharding: Sharding = Sharding.NONE) -> float:  # fmt: skip
    return training_memory(
        shape, micro_batch=micro_batch, tokens=tokens, devices=devices, sharding=sharding
    ).total_bytes


def test_a_parameter_takes_sixteen_bytes_without_sharding() -> None:
    """2 for the weight, 2 for its gradient, 12 for AdamW in mixed precision."""
    memory = training_memory(SHAPE, micro_batch=1, tokens=1, devices=8, sharding=Sharding.NONE)
    assert memory.total_bytes - memory.activations_bytes == 16 * SHAPE.parameters()


@pytest.mark.parametrize(
    ("sharding", "a_parameter"),
    [(Sharding.OPTIMIZER, 2 + 2 + 12 / 8), (Sharding.GRADIENTS, 2 + 14 / 8), (Sharding.WEIGHTS, 16 / 8)],
)
def test_shards_are_those_of_zero(sharding: Sharding, a_parameter: float) -> None:
    """Stages 1, 2 and 3 on eight devices."""
    memory = training_memory(SHAPE, micro_batch=1, tokens=1, devices=8, sharding=sharding)
    kept = memory.total_bytes - memory.activations_bytes
    assert kept == pytest.approx(a_parameter * SHAPE.parameters())


def test_activations_are_those_of_the_paper() -> None:
    """34 s b h bytes a layer where intermediate = 4 h (Korthikanti et al. 2022, eq. 2, scores not kept)."""
    logits = 4 * 3 * SHAPE.outputs
    assert activation_bytes(SHAPE, batch=3, tokens=100) == 34 * 100 * 3 * 768 * 12 + logits


@settings(deadline=None)
@given(batch=sizes, tokens=sizes, devices=sizes, layers=sizes)
def test_memory_is_monotone(batch: int, tokens: int, devices: int, layers: int) -> None:
    """More of anything takes more, each further sharding takes no more."""
    shape = dataclasses.replace(SHAPE, layers=layers)
    deeper = dataclasses.replace(SHAPE, layers=layers + 1)
    given_ = {"micro_batch": batch, "tokens": tokens, "devices": devices}
    assert total(deeper, **given_) > total(shape, **given_)
    assert total(shape, **{**given_, "micro_batch": batch + 1}) > total(shape, **given_)
    by_sharding = [total(shape, **given_, sharding=sharding) for sharding in Sharding]
    assert by_sharding == sorted(by_sharding, reverse=True)


def test_the_batch_is_halved_until_it_fits() -> None:
    """A device with room for some of it gets a smaller micro-batch, one with room for nothing none."""

    def fitting(memory_bytes: float) -> int | None:
        return largest_micro_batch(
            SHAPE, batch=48, tokens=128, devices=1, sharding=Sharding.NONE, memory_bytes=memory_bytes
        )

    assert fitting(80e9) == 48
    assert fitting(total(devices=1, micro_batch=12) / 0.9 + 1) == 12
    assert fitting(1e9) is None
