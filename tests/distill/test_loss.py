"""The loss is the one of the paper, and guidance is a mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from coffey.distill.chain import guiding
from coffey.distill.loss import NO_LABEL, distillation_loss, mean_teacher, soften

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
