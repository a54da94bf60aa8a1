"""The loss is the one of the paper, and guidance is a mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from coffey.distill.chain import guiding
from coffey.distill.loss import (
    NO_LABEL,
    distillation_loss,
    independent_loss,
    mean_independent,
    mean_teacher,
    soften,
)

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]])
TARGET = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
NONE = torch.tensor([NO_LABEL, NO_LABEL])


def by_hand(logits, target, temperature):
    total = 0.0
    for row in range(len(logits)):
        wanted = [p ** (1 / temperature) for p in target[row].tolist()]
        wanted = [p / sum(wanted) for p in wanted]
        given = [math.exp(z / temperature) for z in logits[row].tolist()]
        given = [p / sum(given) for p in given]
        total += temperature**2 * sum(p * math.log(p / q) for p, q in zip(wanted, given, strict=True))
    return total / len(logits)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
def test_the_soft_part_is_the_scaled_divergence(temperature):
    """T² KL(target at T || student at T), averaged over the batch, against plain arithmetic."""
    loss = distillation_loss(LOGITS, TARGET, NONE, temperature=temperature, hard_weight=0.3)
    assert float(loss) == pytest.approx(by_hand(LOGITS, TARGET, temperature), rel=1e-5)


def test_hard_labels_are_mixed_in_only_where_they_are_known():
    """The first example has a label and gets the mix; the second has none and keeps its soft loss whole."""
    hard = torch.tensor([2, NO_LABEL])
    loss = distillation_loss(LOGITS, TARGET, hard, temperature=2.0, hard_weight=0.25)
    cross_entropy = -float(torch.log_softmax(LOGITS[0], dim=0)[2])
    first = 0.75 * by_hand(LOGITS[:1], TARGET[:1], 2.0) + 0.25 * cross_entropy
    assert float(loss) == pytest.approx((first + by_hand(LOGITS[1:], TARGET[1:], 2.0)) / 2, rel=1e-5)


def test_a_student_that_says_what_the_teacher_says_has_no_loss():
    """Zero loss and zero gradient at the teacher's own logits, also with probabilities of exactly zero."""
    target = torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    logits = target.clamp(min=1e-12).log().requires_grad_()
    loss = distillation_loss(logits, target, NONE, temperature=3.0, hard_weight=0.0)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-6)
    assert float(logits.grad.abs().max()) < 1e-6


def test_softening_is_a_change_of_temperature():
    """p^(1/T), normalized, is the softmax of the same logits at T."""
    torch.testing.assert_close(
        soften(torch.softmax(LOGITS, dim=-1), 3.0), torch.softmax(LOGITS / 3.0, dim=-1), atol=1e-6, rtol=0
    )


def test_dense_guidance_is_the_mean_of_all_before():
    """Two teachers count half each; the result is a distribution."""
    first = np.asarray([[0.8, 0.2], [0.5, 0.5]], dtype=np.float32)
    second = np.asarray([[0.4, 0.6], [0.1, 0.9]], dtype=np.float32)
    np.testing.assert_allclose(mean_teacher([first, second]), [[0.6, 0.4], [0.3, 0.7]], rtol=1e-6)
    np.testing.assert_allclose(mean_teacher([first]), first, rtol=1e-6)


@pytest.mark.parametrize(
    ("guidance", "teachers"),
    [("root", [(0,), (0,), (0,)]), ("previous", [(0,), (1,), (2,)]), ("dense", [(0,), (0, 1), (0, 1, 2)])],
)
def test_guidance_names_who_teaches(guidance, teachers):
    """0 is the root teacher, i the student of the i-th stage."""
    assert [guiding(guidance, stage) for stage in range(3)] == teachers


SETS = torch.tensor([[0.9, 0.2, 0.0], [1.0, 0.5, 0.3]])
NO_SETS = torch.full((2, 3), NO_LABEL)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_independent_labels_are_a_divergence_each(temperature):
    """T² times the sum over labels of KL between yes and no, against the loss of two classes a label."""
    loss = independent_loss(LOGITS, SETS, NO_SETS, temperature=temperature, hard_weight=0.3)
    pairs = torch.stack([SETS, 1 - SETS], dim=-1).clamp(1e-6, 1 - 1e-6).reshape(-1, 2)
    logits = torch.stack([LOGITS, torch.zeros_like(LOGITS)], dim=-1).reshape(-1, 2)
    none = torch.full((6,), NO_LABEL)
    expected = 3 * distillation_loss(logits, pairs, none, temperature=temperature, hard_weight=0.3)
    assert float(loss) == pytest.approx(float(expected), rel=1e-3)


def test_hard_sets_are_mixed_in_only_where_they_are_known():
    """The first example has a set, the second has none; certain targets give a finite loss."""
    hard = torch.tensor([[1, 0, 0], [NO_LABEL] * 3])
    loss = independent_loss(LOGITS, SETS, hard, temperature=2.0, hard_weight=0.25)
    soft = [
        float(independent_loss(LOGITS[[row]], SETS[[row]], NO_SETS[[row]], temperature=2.0, hard_weight=0))
        for row in (0, 1)
    ]
    named = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS[0], hard[0].float(), reduction="sum")
    assert float(loss) == pytest.approx((0.75 * soft[0] + 0.25 * float(named) + soft[1]) / 2, rel=1e-5)


def test_the_mean_of_independent_teachers_keeps_their_sums():
    """Nothing is normalized."""
    found = mean_independent([np.array([[0.9, 0.8]]), np.array([[0.5, 0.0]])])
    np.testing.assert_allclose(found, [[0.7, 0.4]])
    assert found.dtype == np.float32
