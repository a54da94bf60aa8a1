"""How long a transformer takes on a machine: a training step, an answer, and how many answers a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from coffey.economics.capacity import Capacity, capacity_within
from coffey.economics.hardware import PRECISIONS
from coffey.economics.roofline import Speed, seconds
from coffey.economics.transformer import TransformerShape
from coffey.economics.transformer_work import decode_work, forward_work, training_work


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one answer takes: the model, tokens of the input, and tokens that are written after it."""

    shape: TransformerShape
    tokens: int
    decoded_tokens: int = 0
    precision: str

    def seconds(self, batch: int, speed: Speed) -> float:
        """Seconds of `batch` answers at once; outputs are calculated at the last token of an input only."""
        size = PRECISIONS[self.precision]
        shape = replace(self.shape, per_token=False)
        once = seconds(forward_work(shape, batch=batch, tokens=self.tokens, element_bytes=size), speed)
        if not self.decoded_tokens:
            return once
        context = self.tokens + self.decoded_tokens // 2
        token = decode_work(shape, batch=batch, context=context, element_bytes=size)
        return once + self.decoded_tokens * seconds(token, speed)

    def memory_bytes(self, batch: int) -> float:
        """Weights, the key-value cache of a writer, and the widest activations."""
        size, shape = PRECISIONS[self.precision], self.shape
        cached = 2 * shape.layers * shape.key_value_width if self.decoded_tokens else 0
        kept = cached * (self.tokens + self.decoded_tokens)
        working = self.tokens * (4 * shape.width + 2 * shape.intermediate)
        return size * (shape.parameters() + batch * (kept + working))


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The batch size at which a server takes the most requests within its latency promise."""

    batch: int
    batch_s: float
    capacity: Capacity


def served_within(asked: Asked, speed: Speed, *, max_batch: int, latency_p99_ms: float) -> Served:
    """The best of the batch sizes 1, 2, 4 … `max_batch`.

    A server that answers B requests in t seconds saturates at B / t. What the batch itself takes is gone
    from the promise; what is left is for waiting (`capacity.capacity_within`). Where no batch keeps the
    promise, one request at a time does the least harm.
    """
    found = [_served(asked, speed, batch, latency_p99_ms) for batch in _doubling(max_batch)]
    holding = [each for each in found if each.capacity.holds]
    return max(holding, key=lambda each: each.capacity.rps) if holding else found[0]


def _served(asked: Asked, speed: Speed, batch: int, latency_p99_ms: float) -> Served:
    batch_s = asked.seconds(batch, speed)
    left_ms = latency_p99_ms - 1000.0 * batch_s
    rate = batch / batch_s
    capacity = capacity_within(rate, latency_p99_ms=left_ms) if left_ms > 0 else Capacity(rate / 2, False)
    return Served(batch=batch, batch_s=batch_s, capacity=capacity)


def answers_per_s(asked: Asked, speed: Speed, *, max_batch: int) -> float:
    """Answers a second where nobody waits: the best batch size."""
    return max(batch / asked.seconds(batch, speed) for batch in _doubling(max_batch))


def step_seconds(
    shape: TransformerShape,
    speed: Speed,
    *,
    micro_batch: int,
    micro_batches: int,
    tokens: int,
    precision: str,
) -> float:
    """Seconds of one optimizer step of one device."""
    return seconds(
        training_work(
            shape,
            batch=micro_batch,
            tokens=tokens,
            element_bytes=PRECISIONS[precision],
            micro_batches=micro_batches,
        ),
        speed,
    )


def _doubling(most: int) -> Iterator[int]:
    size = 1
    while size <= most:
        yield size
        size *= 2
