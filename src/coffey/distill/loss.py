"""What a student is told to do: match its teachers' distributions, and the labels where there are any."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from coffey.stats.scoring import Scoring

NO_LABEL = -1
"""Stands for a hard label that is not known."""

_SMALLEST = 1e-12
"""Below float32's resolution of a probability: keeps the logarithm finite and changes nothing else."""

_NEAREST = 1e-6
"""The nearest that the probability of an independent label is taken to 0 or 1: 1 - 1e-12 is 1 in float32."""


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


def independent_loss(
    logits: Tensor, target: Tensor, hard: Tensor, *, temperature: float, hard_weight: float
) -> Tensor:
    """As `distillation_loss`, of independent labels: each is a distribution of its own over yes and no.

    For every example T² times the sum over labels of KL(Bernoulli(target) at T || Bernoulli(student) at T);
    where its labels are known, (1 - w) of that plus w times the sum of the binary cross-entropies at
    temperature 1.

    Args:
        logits: [b, labels].
        target: [b, labels], probabilities at temperature 1.
        hard: int64 [b, labels] of 0 and 1, `NO_LABEL` in rows whose labels are not known.
        temperature: T.
        hard_weight: w.
    """
    each = torch.nn.functional.binary_cross_entropy_with_logits
    logits = logits.float()
    wanted = (torch.logit(target, eps=_NEAREST) / temperature).sigmoid()
    cross = each(logits / temperature, wanted, reduction="none")
    entropy = -(torch.xlogy(wanted, wanted) + torch.xlogy(1 - wanted, 1 - wanted))
    soft = (cross - entropy).sum(dim=-1) * temperature**2
    named = each(logits, hard.clamp(min=0).to(logits.dtype), reduction="none").sum(dim=-1)
    weight = hard_weight * (hard != NO_LABEL).all(dim=-1).to(soft.dtype)
    return ((1 - weight) * soft + weight * named).mean()


def loss_of(scoring: Scoring) -> Callable[..., Tensor]:
    """The loss of a task: `distillation_loss`, or `independent_loss` of a multi-label one."""
    return independent_loss if scoring.independent else distillation_loss


def mean_independent(answers: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of several teachers' independent probabilities, float32 [n, labels]."""
    return np.asarray(np.mean(np.stack(answers), axis=0, dtype=np.float64), dtype=np.float32)


def mean_teacher(answers: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of several teachers' distributions, float32 [n, labels]; rows sum to 1."""
    total = np.zeros_like(answers[0], dtype=np.float64)
    for answer in answers:
        total += answer
    mean: np.ndarray = (total / total.sum(axis=1, keepdims=True)).astype(np.float32)
    return mean
