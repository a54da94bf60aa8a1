"""Time follows the machine: batches fill it, a promise limits the batch."""

from __future__ import annotations

import pytest

from coffey.economics.hardware import load_catalogue
from coffey.economics.transformer import TransformerShape
from coffey.economics.transformer_time import Asked, answers_per_s, served_within, step_seconds

SMALL = TransformerShape(layers=12, width=384, heads=12, intermediate=1536, vocabulary=30522, outputs=2)
WRITER = TransformerShape(
    layers=16, width=2048, heads=32, key_value_heads=8, intermediate=8192, vocabulary=128256, outputs=128256,
    gated=True, bias=False, norm_parts=1, tied=True, per_token=True,
)  # fmt: skip
H100 = load_catalogue()["h100-sxm-80gb"].speeds("bf16")
CPU = load_catalogue()["cpu-c6i-xlarge"].speeds("fp32")


def test_one_request_alone_is_bound_by_launches_on_an_accelerator_and_by_arithmetic_on_a_processor() -> None:
    """A small encoder wastes an H100: launches take most of the time, so thirty-two are nearly free."""
    asked = Asked(shape=SMALL, tokens=64, precision="bf16")
    launches_s = 12 * 10 * H100.likely.launch_s
    assert launches_s < asked.seconds(1, H100.likely) < 1.5 * launches_s
    assert asked.seconds(32, H100.likely) < 3 * asked.seconds(1, H100.likely)
    on_cpu = Asked(shape=SMALL, tokens=64, precision="fp32")
    assert on_cpu.seconds(32, CPU.likely) > 20 * on_cpu.seconds(1, CPU.likely)


def test_writing_is_bound_by_the_weights_that_each_token_reads() -> None:
    """A token of a 1.2B model takes at least as long as moving its weights once."""
    silent = Asked(shape=WRITER, tokens=64, precision="bf16")
    writing = Asked(shape=WRITER, tokens=64, decoded_tokens=10, precision="bf16")
    token_s = (writing.seconds(1, H100.likely) - silent.seconds(1, H100.likely)) / 10
    assert token_s > 2 * WRITER.layers * WRITER.layer_weights() / H100.likely.bytes_per_s
    assert writing.memory_bytes(8) > silent.memory_bytes(8)


def test_a_tighter_promise_takes_smaller_batches_and_fewer_requests() -> None:
    """What a batch takes is gone from the promise; one that no batch keeps is said not to hold."""
    asked = Asked(shape=WRITER, tokens=512, precision="bf16")
    loose, tight, never = (
        served_within(asked, H100.likely, max_batch=64, latency_p99_ms=ms) for ms in (500, 40, 1)
    )
    assert loose.capacity.rps > tight.capacity.rps > never.capacity.rps
    assert loose.batch > tight.batch
    assert (loose.capacity.holds, tight.capacity.holds, never.capacity.holds) == (True, True, False)


def test_nobody_waiting_is_never_slower_than_a_promise() -> None:
    """Labelling takes the best batch; serving gives some of it up."""
    asked = Asked(shape=SMALL, tokens=128, precision="bf16")
    served = served_within(asked, H100.likely, max_batch=64, latency_p99_ms=50)
    assert answers_per_s(asked, H100.likely, max_batch=64) > served.capacity.rps


def test_a_slower_machine_takes_longer() -> None:
    """The bounds of the catalogue are in order for a training step."""
    slow, likely, fast = (
        step_seconds(SMALL, speed, micro_batch=64, micro_batches=2, tokens=128, precision="bf16")
        for speed in (H100.slow, H100.likely, H100.fast)
    )
    assert fast < likely < slow
    assert slow == pytest.approx(likely, rel=1.0)
