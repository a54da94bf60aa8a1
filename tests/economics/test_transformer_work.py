"""Operations are those that a real encoder performs; bytes and time grow with the work."""

from __future__ import annotations

import pytest

from coffey.economics.roofline import Speed, seconds
from coffey.economics.transformer import TransformerShape
from coffey.economics.transformer_work import (
    decode_work,
    forward_flops,
    forward_work,
    training_flops,
    training_work,
)

SHAPE = TransformerShape(
    layers=3, width=96, heads=3, intermediate=288, vocabulary=700, outputs=7, positions=64
)
MACHINE = Speed(flops_per_s=1e12, bytes_per_s=1e11, launch_s=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "tokens"), [(1, 1), (2, 16), (5, 64)])
def test_a_forward_pass_is_counted_as_torch_counts_it(batch: int, tokens: int) -> None:
    """FlopCounterMode, which looks at the operators that ran, finds the same number in the student module."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from coffey.students.encoder import Student
    from coffey.students.shape import EncoderShape

    student = Student(EncoderShape(3, 96, 3, 288, 700, 64, 7)).eval()
    ids = torch.ones((batch, tokens), dtype=torch.int64)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        student(ids, ids)
    assert forward_flops(SHAPE, batch=batch, tokens=tokens) == counter.get_total_flops()


@pytest.mark.slow
def test_a_training_step_is_three_forward_passes() -> None:
    """Within 1 %: torch needs no gradient with respect to the embedded tokens' look-up."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from coffey.students.encoder import Student
    from coffey.students.shape import EncoderShape

    student = Student(EncoderShape(3, 96, 3, 288, 700, 64, 7))
    ids = torch.ones((4, 32), dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        student(ids, ids)[0].sum().backward()
    assert training_flops(SHAPE, batch=4, tokens=32) == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_a_large_model_needs_two_operations_a_weight_and_token() -> None:
    """Kaplan's rule, from which attention departs by less than a tenth in a short input to a wide model."""
    wide = TransformerShape(layers=24, width=2048, heads=16, intermediate=8192, vocabulary=30_000, outputs=2)
    rule = 2 * wide.layers * wide.layer_weights() * 8 * 128
    assert rule < forward_flops(wide, batch=8, tokens=128) < 1.1 * rule


def test_a_batch_reads_the_weights_once() -> None:
    """Sixteen inputs take sixteen times the operations of one, and less than sixteen times the bytes."""
    one, many = (forward_work(SHAPE, batch=size, tokens=16, element_bytes=4) for size in (1, 16))
    assert sum(part.flops for part in many) == 16 * sum(part.flops for part in one)
    assert sum(part.moved_bytes for part in many) < 16 * sum(part.moved_bytes for part in one)


def test_gradients_are_accumulated_and_the_optimizer_steps_once() -> None:
    """Four micro-batches cost four passes and one update."""
    once, four = (
        seconds(training_work(SHAPE, batch=8, tokens=32, element_bytes=2, micro_batches=n), MACHINE)
        for n in (1, 4)
    )
    passes = seconds(
        [part.times(3) for part in forward_work(SHAPE, batch=8, tokens=32, element_bytes=2)], MACHINE
    )
    assert four - once == pytest.approx(3 * passes)


def test_a_written_token_reads_its_context() -> None:
    """A longer context moves more bytes, and a token costs less than the input it continues."""
    short, long = (
        seconds(decode_work(SHAPE, batch=4, context=n, element_bytes=2), MACHINE) for n in (8, 4096)
    )
    assert short < long
    prompt = forward_work(SHAPE, batch=4, tokens=64, element_bytes=2)
    assert sum(w.flops for w in decode_work(SHAPE, batch=4, context=64, element_bytes=2)) < sum(
        w.flops for w in prompt
    )
