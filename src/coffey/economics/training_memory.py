"""What has to fit into the memory of one device while a transformer is trained."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from coffey.economics.transformer import TransformerShape

WEIGHT_BYTES = GRADIENT_BYTES = 2.0
OPTIMIZER_STATE_BYTES = 12.0
"""Mixed precision with Adam: 16-bit weight and gradient; fp32 master weight and two moments
(Rajbhandari et al. 2020, ZeRO, section 3.1)."""

USABLE = 0.9
"""Share of a device's memory that tensors get; drivers, libraries and fragments take the rest. Assumed."""


class Sharding(enum.Enum):
    """What is divided among the devices, instead of being on each (Rajbhandari et al. 2020)."""

    NONE = "none"
    """Plain data parallelism."""
    OPTIMIZER = "optimizer"
    """ZeRO stage 1: master weights and moments."""
    GRADIENTS = "gradients"
    """Stage 2: gradients too."""
    WEIGHTS = "weights"
    """Stage 3, FSDP: weights too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMemory:
    """Bytes on one device."""

    weights_bytes: float
    gradients_bytes: float
    optimizer_bytes: float
    activations_bytes: float

    @property
    def total_bytes(self) -> float:
        """All of it."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes

    def fits(self, memory_bytes: float) -> bool:
        """Whether a device with this much memory holds it, `USABLE` of it being free for tensors."""
        return self.total_bytes <= USABLE * memory_bytes


def training_memory(
    shape: TransformerShape, *, micro_batch: int, tokens: int, devices: int, sharding: Sharding
) -> TrainingMemory:
    """The memory of one of `devices` that each work on `micro_batch` inputs of `tokens` tokens at a time."""
    parameters = shape.parameters()
    order = list(Sharding)
    shards = [devices if order.index(sharding) >= level else 1 for level in (3, 2, 1)]
    return TrainingMemory(
        weights_bytes=WEIGHT_BYTES * parameters / shards[0],
        gradients_bytes=GRADIENT_BYTES * parameters / shards[1],
        optimizer_bytes=OPTIMIZER_STATE_BYTES * parameters / shards[2],
        activations_bytes=activation_bytes(shape, batch=micro_batch, tokens=tokens),
    )


def activation_bytes(shape: TransformerShape, *, batch: int, tokens: int) -> float:
    """What the forward pass keeps for the backward one, in 16 bits, with fused attention.

    Korthikanti et al. 2022, equation 2: s b h (34 + 5 a s / h) a layer, of which fused attention does not
    keep the scores, 5 a s / h. The 34 h are 18 h + 4 x intermediate where intermediate = 4 h: inputs of the
    maps, of the activation, of the norms, and dropout masks. A gate keeps two more intermediates in 16 bits.
    Logits are kept in fp32.
    """
    kept = 18 * shape.width + (8 if shape.gated else 4) * shape.intermediate
    answered = tokens if shape.per_token else 1
    return float(batch * (tokens * shape.layers * kept + 4 * answered * shape.outputs))


def largest_micro_batch(
    shape: TransformerShape, *, batch: int, tokens: int, devices: int, sharding: Sharding, memory_bytes: float
) -> int | None:
    """The largest of `batch`, half of it, a quarter … inputs that a device can work on at once.

    Returns:
        None when not even one input fits: the model needs more sharding or more memory.
    """
    size = batch
    while size >= 1:
        memory = training_memory(shape, micro_batch=size, tokens=tokens, devices=devices, sharding=sharding)
        if memory.fits(memory_bytes):
            return size
        size //= 2
    return None
