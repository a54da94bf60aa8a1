"""A student's first weights: from a larger encoder, from an equal one, or from chance."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from coffey.students.encoder import Attention, Layer, Student
from coffey.students.reduction import LayerUse, Sample, find_basis, kept_energy, observe

SPREAD = 0.02
"""Standard deviation of weights from scratch (Devlin et al. 2019)."""


def initialize_from_scratch(student: Student, *, seed: int) -> None:
    """Truncated normal weights of standard deviation 0.02, zero biases, unit norms; the seed decides."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in student.modules():
            if isinstance(module, nn.LayerNorm):
                module.weight.fill_(1.0)
                module.bias.zero_()
            elif isinstance(module, nn.Linear | nn.Embedding):
                _draw(module.weight, generator)
                if isinstance(module, nn.Linear) and module.bias is not None:
                    module.bias.zero_()


def initialize_from(
    student: Student,
    source: Student,
    *,
    old_ids: np.ndarray | None,
    sample: Sample,
    seed: int,
    classifier: bool,
) -> None:
    """Fill `student` with what `source` knows, reduced to the student's shape.

    Layers are taken evenly, the last one included. The hidden states are projected onto the directions
    that carry most of their energy on the sample; every weight follows the same projection. Of each layer
    the heads and neurons that matter most on the sample are kept, and the mean of what the others add is
    kept in the biases. Equal shapes give an exact copy.

    Args:
        student: the module to fill.
        source: a larger or equal encoder, whose shape `reduces_to` the student's.
        old_ids: int64 [student vocabulary], the source's token for each of the student's; None when the
            vocabularies have nothing in common (then the embeddings come from chance).
        sample: some texts in the source's ids.
        seed: of what comes from chance.
        classifier: whether the source's classifier answers the same question and is taken over.
    """
    initialize_from_scratch(student, seed=seed)
    use = observe(source, sample)
    basis = find_basis(use.moments, student.shape.width)
    norm_scale = math.sqrt(kept_energy(use.moments, basis) * source.shape.width / student.shape.width)
    with torch.no_grad():
        _embeddings(student, source, old_ids, basis)
        _norm(student.norm, source.norm, basis, norm_scale)
        chosen = choose_layers(source.shape.layers, student.shape.layers)
        for layer, index in zip(student.layers, chosen, strict=True):
            theirs = source.layers[index]
            assert isinstance(layer, Layer)
            assert isinstance(theirs, Layer)
            _layer(layer, theirs, use.layers[index], basis, norm_scale)
        if classifier:
            student.classifier.weight.copy_(source.classifier.weight @ basis)
            student.classifier.bias.copy_(source.classifier.bias)


def choose_layers(source: int, student: int) -> tuple[int, ...]:
    """Indices of the source's layers, evenly spaced, the last included.

    >>> choose_layers(6, 3), choose_layers(6, 2), choose_layers(3, 3)
    ((1, 3, 5), (2, 5), (0, 1, 2))
    """
    return tuple(max(0, math.ceil((layer + 1) * source / student) - 1) for layer in range(student))


def _draw(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.trunc_normal_(weight, std=SPREAD, a=-2 * SPREAD, b=2 * SPREAD, generator=generator)


def _embeddings(student: Student, source: Student, old_ids: np.ndarray | None, basis: Tensor) -> None:
    student.positions.weight.copy_(source.positions.weight[: student.shape.max_length] @ basis)
    if old_ids is None:
        return
    rows = source.table()[torch.from_numpy(np.asarray(old_ids, dtype=np.int64))] @ basis
    if student.widen is None:
        student.tokens.weight.copy_(rows)
    else:
        _factorise(student, student.widen, rows)


def _factorise(student: Student, widen: nn.Linear, rows: Tensor) -> None:
    """The best `rows` of the projection's rank (Eckart and Young 1936); their mean goes to the positions."""
    mean = rows.mean(0)
    _, _, directions = torch.linalg.svd(rows - mean, full_matrices=False)
    kept = directions[: widen.in_features]
    student.tokens.weight[:, : len(kept)] = (rows - mean) @ kept.T
    widen.weight[:, : len(kept)] = kept.T
    student.positions.weight += mean


def _norm(norm: nn.LayerNorm, source: nn.LayerNorm, basis: Tensor, scale: float) -> None:
    """The diagonal of the projected gains; `scale` undoes that fewer values have a larger normalized size."""
    norm.weight.copy_((basis.square() * source.weight[:, None]).sum(0) * scale)
    norm.bias.copy_(source.bias @ basis)


def _layer(layer: Layer, source: Layer, use: LayerUse, basis: Tensor, norm_scale: float) -> None:
    _attention(layer.attention, source.attention, use, basis)
    _norm(layer.attention_norm, source.attention_norm, basis, norm_scale)
    keep = _largest(use.neurons, layer.up.out_features)
    layer.up.weight.copy_(source.up.weight[keep] @ basis)
    layer.up.bias.copy_(source.up.bias[keep])
    dropped = use.activations.clone()
    dropped[keep] = 0.0
    layer.down.weight.copy_(basis.T @ source.down.weight[:, keep])
    layer.down.bias.copy_((source.down.bias + source.down.weight @ dropped) @ basis)
    _norm(layer.output_norm, source.output_norm, basis, norm_scale)


def _attention(attention: Attention, source: Attention, use: LayerUse, basis: Tensor) -> None:
    old_size = source.query.out_features // source.heads
    new_size = attention.query.out_features // attention.heads
    keep = _largest(use.heads, attention.heads)
    dropped = use.mixed.clone().view(source.heads, old_size)
    dropped[keep] = 0.0
    attention.output.bias.copy_((source.output.bias + source.output.weight @ dropped.flatten()) @ basis)
    for place, head in enumerate(keep.tolist()):
        old = slice(head * old_size, (head + 1) * old_size)
        new = slice(place * new_size, (place + 1) * new_size)
        if new_size == old_size:
            for part in ("query", "key", "value"):
                getattr(attention, part).weight[new] = getattr(source, part).weight[old] @ basis
                getattr(attention, part).bias[new] = getattr(source, part).bias[old]
            attention.output.weight[:, new] = basis.T @ source.output.weight[:, old]
        else:
            _narrow_head(attention, source, old, new, basis)


def _narrow_head(attention: Attention, source: Attention, old: slice, new: slice, basis: Tensor) -> None:
    """Best approximation of a head's two bilinear forms, scores and output, in fewer dimensions (SVD)."""
    size, width = new.stop - new.start, basis.shape[1]
    query, key, value = (
        torch.cat([part.weight[old] @ basis, part.bias[old, None]], dim=1)
        for part in (source.query, source.key, source.value)
    )
    rescale = math.sqrt(size / (old.stop - old.start))
    left, right = _split(query.T @ key * rescale, size)
    attention.query.weight[new], attention.query.bias[new] = left.T[:, :width], left.T[:, width]
    attention.key.weight[new], attention.key.bias[new] = right[:, :width], right[:, width]
    left, right = _split(basis.T @ source.output.weight[:, old] @ value, size)
    attention.output.weight[:, new] = left
    attention.value.weight[new], attention.value.bias[new] = right[:, :width], right[:, width]


def _split(product: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """`product` as [rows, size] times [size, columns], zero-padded where its rank is lower."""
    u, s, v = torch.linalg.svd(product, full_matrices=False)
    rank = min(size, s.shape[0])
    root = s[:rank].sqrt()
    left = product.new_zeros(product.shape[0], size)
    right = product.new_zeros(size, product.shape[1])
    left[:, :rank], right[:rank] = u[:, :rank] * root, root[:, None] * v[:rank]
    return left, right


def _largest(importance: Tensor, count: int) -> Tensor:
    """Indices of the `count` largest, in their old order."""
    return torch.argsort(importance, descending=True, stable=True)[:count].sort().values
