"""What a larger encoder's activations say about which of its directions, heads and neurons to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coffey.students.encoder import Layer, Student, padding_bias

Sample = Sequence[tuple[Tensor, Tensor]]
"""Batches of (input_ids, attention_mask), in the ids of the encoder that is read."""


@dataclass(frozen=True, slots=True)
class LayerUse:
    """How one layer is used on the sample."""

    heads: Tensor
    """[heads]: mean norm of what each head adds to a token."""
    neurons: Tensor
    """[intermediate]: mean absolute activation times the norm of the neuron's output weights."""
    mixed: Tensor
    """[width]: mean of the heads' outputs, so that a dropped head leaves its mean behind."""
    activations: Tensor
    """[intermediate]: mean activation, for the same reason."""


@dataclass(frozen=True, slots=True)
class Use:
    """How an encoder is used on the sample."""

    moments: Tensor
    """[width, width]: mean outer product of the hidden states of every depth."""
    layers: tuple[LayerUse, ...]


def observe(source: Student, sample: Sample) -> Use:
    """Run `source` over the sample and keep the statistics that a reduction needs."""
    moments = torch.zeros(source.shape.width, source.shape.width, dtype=torch.float64)
    totals = [
        _Totals(source.shape.heads, source.shape.width, source.shape.intermediate) for _ in source.layers
    ]
    source.eval()
    tokens = 0
    with torch.inference_mode():
        for input_ids, mask in sample:
            real = mask.bool()
            tokens += int(real.sum())
            hidden = source.embed(input_ids)
            bias = padding_bias(mask)
            moments += _outer(hidden[real])
            for layer, total in zip(source.layers, totals, strict=True):
                assert isinstance(layer, Layer)
                hidden = total.add(layer, hidden, bias, real)
                moments += _outer(hidden[real])
    return Use(moments / tokens, tuple(total.means(tokens) for total in totals))


def find_basis(moments: Tensor, width: int) -> Tensor:
    """Orthonormal columns [old width, width] that keep most of the hidden states' energy.

    Layer norm removes the mean over the width. The direction of the mean is therefore kept exactly, and
    turned so that it is the direction of the mean in the new width too (compare Ashkboos et al. 2024,
    SliceGPT, section 3, who do so for RMS norm); the others are principal components of the rest.
    """
    old = moments.shape[0]
    if width == old:
        return torch.eye(old)
    mean = torch.full((old, 1), old**-0.5, dtype=moments.dtype)
    away = torch.eye(old, dtype=moments.dtype) - mean @ mean.T
    _, vectors = torch.linalg.eigh(away @ moments @ away)
    basis = torch.cat([mean, vectors[:, -(width - 1) :].flip(1)], dim=1)
    return (basis @ _turn(width, moments.dtype)).float()


def kept_energy(moments: Tensor, basis: Tensor) -> float:
    """Share of the hidden states' energy, without the mean over the width, that the basis keeps."""
    old = moments.shape[0]
    away = torch.eye(old, dtype=moments.dtype) - torch.full_like(moments, 1 / old)
    centered = away @ moments @ away
    columns = basis.to(moments.dtype)
    return float(torch.trace(columns.T @ centered @ columns) / torch.trace(centered))


def _turn(width: int, dtype: torch.dtype) -> Tensor:
    """A symmetric reflection that swaps the first axis and the direction of the mean."""
    difference = torch.full((width, 1), -(width**-0.5), dtype=dtype)
    difference[0] += 1.0
    return torch.eye(width, dtype=dtype) - 2 * difference @ difference.T / (difference.T @ difference)


def _outer(states: Tensor) -> Tensor:
    states = states.double()
    return states.T @ states


class _Totals:
    """Running sums of one layer's statistics over the tokens of the sample."""

    def __init__(self, heads: int, width: int, intermediate: int) -> None:
        self.head_norms = torch.zeros(heads, dtype=torch.float64)
        self.neuron_sizes = torch.zeros(intermediate, dtype=torch.float64)
        self.mixed = torch.zeros(width, dtype=torch.float64)
        self.activations = torch.zeros(intermediate, dtype=torch.float64)

    def add(self, layer: Layer, hidden: Tensor, bias: Tensor, real: Tensor) -> Tensor:
        """Run the layer, count its real tokens, and hand on its output."""
        mixed = layer.attention.mix(hidden, bias)
        between = layer.attention_norm(layer.attention.output(mixed) + hidden)
        active = torch.nn.functional.gelu(layer.up(between))
        output: Tensor = layer.output_norm(layer.down(active) + between)
        self.mixed += mixed[real].double().sum(0)
        self.activations += active[real].double().sum(0)
        self.neuron_sizes += active[real].double().abs().sum(0)
        heads = self.head_norms.shape[0]
        per_head = mixed[real].view(-1, heads, mixed.shape[-1] // heads)
        output_weight = layer.attention.output.weight.view(-1, heads, per_head.shape[-1])
        added = torch.einsum("nhd,whd->nhw", per_head, output_weight)
        self.head_norms += added.double().norm(dim=-1).sum(0)
        self.down_norms = layer.down.weight.double().norm(dim=0)
        return output

    def means(self, tokens: int) -> LayerUse:
        """The statistics a token."""
        return LayerUse(
            heads=self.head_norms / tokens,
            neurons=self.neuron_sizes / tokens * self.down_norms,
            mixed=(self.mixed / tokens).float(),
            activations=(self.activations / tokens).float(),
        )
