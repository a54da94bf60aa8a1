"""What a transformer has to do: operations and bytes of a forward pass, a training step, a decoded token."""

from __future__ import annotations

from coffey.economics.roofline import Work
from coffey.economics.transformer import TransformerShape

BACKWARD = 2.0
"""A backward pass in forward passes: gradients of inputs and of weights (Kaplan et al. 2020, section 2.1)."""

OPTIMIZER_BYTES = 28.0
"""AdamW in fp32, per parameter: reads weight, gradient and two moments, writes all but the gradient."""

_LINEAR_KERNELS, _ATTENTION_KERNELS, _ELEMENTWISE_KERNELS = 6, 1, 3
"""Per layer: six linear maps; fused attention; two sums fused with norms, and the activation."""


def forward_flops(shape: TransformerShape, *, batch: int, tokens: int) -> float:
    """Floating-point operations of matrix products in a forward pass; a multiply-add counts as two.

    Linear maps 2 x weights a token, attention 4 x tokens^2 x width a layer and input (Kaplan et al. 2020,
    table 1; Korthikanti et al. 2022, appendix A), all positions counted also where a causal mask hides half.
    """
    return sum(part.flops for part in forward_work(shape, batch=batch, tokens=tokens, element_bytes=0))


def training_flops(shape: TransformerShape, *, batch: int, tokens: int) -> float:
    """Matrix products of one optimizer step: forward, and twice that backward."""
    return (1 + BACKWARD) * forward_flops(shape, batch=batch, tokens=tokens)


def forward_work(
    shape: TransformerShape, *, batch: int, tokens: int, element_bytes: float
) -> tuple[Work, ...]:
    """Linear maps, attention, softmax, elementwise operations, and the output map of one forward pass.

    Attention is fused: scores never reach memory (Dao et al. 2022). Everything else is read and written once
    an operation; elementwise operations are fused pairwise (sum with norm, activation with bias).

    Args:
        shape: of the model.
        batch: inputs at once.
        tokens: of each input, padding included.
        element_bytes: of a weight and of an activation: 2 for bf16, 4 for fp32.
    """
    rows, width, inner = batch * tokens, shape.width, shape.intermediate
    keys, maps = shape.key_value_width, 3 if shape.gated else 2
    read_and_written = 5 * width + 2 * keys + maps * (width + inner)
    linear = Work(
        2.0 * rows * shape.layer_weights(),
        element_bytes * (shape.layer_weights() + rows * read_and_written),
        _LINEAR_KERNELS,
    )
    attention = Work(
        4.0 * batch * tokens * tokens * width,
        element_bytes * rows * (2 * width + 2 * keys),
        _ATTENTION_KERNELS,
    )
    softmax = Work(0.0, 0.0, 0.0, elements=float(batch * tokens * tokens * shape.heads))
    elementwise = Work(
        0.0,
        element_bytes * rows * (6 * width + maps * inner),
        _ELEMENTWISE_KERNELS,
        elements=float(rows * (2 * width + inner)),
    )
    answered = rows if shape.per_token else batch
    head = Work(
        2.0 * answered * width * shape.outputs,
        element_bytes * (width * shape.outputs + answered * (width + shape.outputs)),
    )
    return (*(part.times(shape.layers) for part in (linear, attention, softmax, elementwise)), head)


def training_work(
    shape: TransformerShape, *, batch: int, tokens: int, element_bytes: float, micro_batches: int = 1
) -> tuple[Work, ...]:
    """One optimizer step: `micro_batches` forward and backward passes of `batch` inputs, then AdamW.

    A sharded optimizer is counted whole: an upper bound, and a small part of a step.
    """
    forward = forward_work(shape, batch=batch, tokens=tokens, element_bytes=element_bytes)
    passes = tuple(part.times((1 + BACKWARD) * micro_batches) for part in forward)
    return (*passes, Work(0.0, OPTIMIZER_BYTES * shape.parameters()))


def decode_work(
    shape: TransformerShape, *, batch: int, context: int, element_bytes: float
) -> tuple[Work, ...]:
    """One more token for each of `batch` inputs that have `context` tokens in the key-value cache."""
    one = forward_work(shape, batch=batch, tokens=1, element_bytes=element_bytes)
    cached = batch * context * shape.layers
    attention = Work(4.0 * cached * shape.width, element_bytes * cached * 2 * shape.key_value_width)
    return (*one, attention)
