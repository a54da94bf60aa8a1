"""The relation loss is the paper's, and sees directions alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coffey.distill.relations import centred, relation_loss

TEACHER = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [3.0, 0.0, 0.0]])


def test_the_loss_is_the_mean_squared_difference_of_cosines():
    """Against the cosines of three texts, written down by hand."""
    student = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    theirs = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    ours = [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    wanted = np.square(np.array(theirs) - np.array(ours)).mean()
    assert float(relation_loss(student, TEACHER)) == pytest.approx(wanted)


@given(
    scale=st.floats(0.1, 100.0),
    rows=st.integers(2, 9),
    width=st.integers(4, 12),
    seed=st.integers(0, 2**31),
)
def test_turned_and_scaled_features_have_no_loss(scale, rows, width, seed):
    """A student that is the teacher's rotation, wider and of another size, has nothing to learn."""
    draw = torch.Generator().manual_seed(seed)
    teacher = torch.randn(rows, width, generator=draw)
    turn, _ = torch.linalg.qr(torch.randn(width + 3, width, generator=draw))
    student = (scale * teacher @ turn.T).requires_grad_()
    loss = relation_loss(student, teacher)
    assert float(loss.detach()) < 1e-9


def test_centring_takes_its_mean_from_the_training_rows():
    """What the validation rows are does not move the others."""
    features = np.array([[1.0, 2.0], [3.0, 4.0], [900.0, -900.0]], dtype=np.float16)
    found = centred(features, np.array([0, 1]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:2], [[-1.0, -1.0], [1.0, 1.0]])
