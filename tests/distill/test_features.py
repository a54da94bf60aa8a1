"""What is learned from features: the losses are the papers', and mean the same for every teacher."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coffey.distill.features import hint_loss, make_projection, normalized, relation_loss

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


def test_the_measures_of_features_come_from_the_training_rows():
    """Their mean is 0 and their mean squared length 1, whatever the validation rows are."""
    draw = np.random.default_rng(5)
    features = (7 + 3 * draw.normal(size=(40, 6))).astype(np.float16)
    rows = np.arange(30)
    found = normalized(features, rows)
    features[30:] = 900.0
    np.testing.assert_array_equal(normalized(features, rows)[rows], found[rows])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[rows].mean(axis=0), 0.0, atol=1e-5)
    assert np.square(found[rows]).sum(axis=1).mean() == pytest.approx(1.0, rel=1e-5)


def test_a_hint_begins_with_a_loss_of_one():
    """Whatever the widths: the projection says nothing yet, and the features' mean squared length is 1."""
    wanted = normalized(np.random.default_rng(2).normal(size=(50, 9)), np.arange(50))
    projected = make_projection(4, 9)(torch.randn(50, 4, generator=torch.Generator().manual_seed(1)))
    assert float(hint_loss(projected.detach(), torch.from_numpy(wanted))) == pytest.approx(1.0, rel=1e-5)
