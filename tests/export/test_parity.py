"""Parity counts labels and differences; the torch side is asked as it is trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coffey.artifact.encoding import TextEncoder
from coffey.export.parity import compare, torch_probabilities


def test_parity_by_hand():
    """One of two labels differs; the largest difference is 0.4."""
    parity = compare(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([[0.8, 0.2], [0.8, 0.2]]))
    assert (parity.texts, parity.agreement, parity.largest_difference) == (2, 0.5, pytest.approx(0.4))


@pytest.mark.parametrize("other", [np.zeros((1, 3)), np.zeros((2, 2)), np.zeros(2)])
def test_answers_to_other_questions_are_not_compared(other):
    """Shapes have to be equal."""
    with pytest.raises(ValueError, match="shapes"):
        compare(np.zeros((1, 2)), other)


def test_nothing_is_not_compared():
    """No text, no parity."""
    with pytest.raises(ValueError, match="n > 0"):
        compare(np.zeros((0, 2)), np.zeros((0, 2)))


def test_torch_answers_come_in_order_and_leave_the_module_in_its_mode(module, tokenizer, texts):
    """Evaluation mode while asked (dropout off: twice the same), training mode afterwards."""
    encoder = TextEncoder(tokenizer.to_str().encode(), 24)
    module.train()
    try:
        found = torch_probabilities(module, encoder.encode, texts)
        assert module.training
        np.testing.assert_array_equal(found, torch_probabilities(module, encoder.encode, texts))
    finally:
        module.eval()
    alone = encoder.encode(texts[3:4])
    with torch.inference_mode():
        logits = module(torch.from_numpy(alone.input_ids), torch.from_numpy(alone.attention_mask))[0]
    np.testing.assert_allclose(found[3], torch.softmax(logits, -1)[0].numpy(), atol=1e-5)
