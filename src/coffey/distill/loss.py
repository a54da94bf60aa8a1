"""What a student is told to do: match its teachers' distributions, and the labels where there are any."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

NO_LABEL = -1
"""Stands for a hard label that is not known."""

_SMALLEST = 1e-12
"""Below float32's resolution of a probability: keeps the logarithm finite and changes nothing else."""


def soften(probabilities: Tensor, temperature: float) -> Tensor:
    """The distribution of the same logits at another temperature: p^(1/T), normalized."""
    if temperature == 1.0:
        return probabilities
    return torch.softmax(probabilities.clamp(min=_SMALLEST).log() / temperature, dim=-1)


def distillation_loss(
    logits: Tensor, target: Tensor, hard: Tensor, *, temperature: float, hard_weight: float
) -> Tensor:
    """The mean loss of a batch (Hinton, Vinyals and Dean 2015, section 2).

    For every example T² KL(target at T || student at T); where it has a hard label, (1 - w) of that plus
    w times the cross-entropy at temperature 1. T² keeps the gradients' size the same whatever T is.

    Args:
        logits: [b, labels].
        target: [b, labels], distributions at temperature 1.
        hard: int64 [b], `NO_LABEL` where there is none.
        temperature: T.
        hard_weight: w.
    """
    logits = logits.float()
    wanted = soften(target, temperature)
    answered = torch.log_softmax(logits / temperature, dim=-1)
    known = wanted.clamp(min=_SMALLEST).log()
    soft = (wanted * (known - answered)).sum(dim=-1) * temperature**2
    weight = hard_weight * (hard != NO_LABEL).to(soft.dtype)
    named = torch.nn.functional.cross_entropy(logits, hard, ignore_index=NO_LABEL, reduction="none")
    return ((1 - weight) * soft + weight * named).mean()


def mean_teacher(answers: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of several teachers' distributions, float32 [n, labels]; rows sum to 1."""
    total = np.zeros_like(answers[0], dtype=np.float64)
    for answer in answers:
        total += answer
    mean: np.ndarray = (total / total.sum(axis=1, keepdims=True)).astype(np.float32)
    return mean
