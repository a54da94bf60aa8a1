"""The graph answers batches and lengths that it was not traced with, and the module stays as it was."""

from __future__ import annotations

import copy

import numpy as np
import onnxruntime as ort
import pytest
import torch

from coffey.export.onnx import plain_copy, write_onnx


def run(path, ids, mask):
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["logits", "features"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})


@pytest.mark.parametrize(("batch", "length"), [(1, 1), (1, 2), (1, 24), (2, 8), (7, 3), (5, 17)])
def test_any_batch_and_length_is_what_torch_says(module, exported, batch, length):
    """Batch 1, length 1, the longest, ragged masks."""
    ids = torch.randint(0, 200, (batch, length), generator=torch.Generator().manual_seed(batch))
    mask = torch.ones_like(ids)
    for row in range(batch):
        mask[row, max(1, length - row) :] = 0
    with torch.inference_mode():
        expected = module(ids, mask)
    for found, wanted in zip(run(exported, ids, mask), expected, strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_what_is_masked_does_not_matter(exported):
    """The mask is part of the graph: other ids under it change nothing, and more padding neither."""
    ids = torch.tensor([[2, 5, 6, 3, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 0, 0]])
    other = ids.clone()
    other[0, 4:] = 17
    alone = run(exported, ids[:, :4], mask[:, :4])[0]
    np.testing.assert_allclose(run(exported, ids, mask)[0], alone, atol=1e-5)
    np.testing.assert_allclose(run(exported, other, mask)[0], alone, atol=1e-5)


def test_the_module_is_left_as_it_was(module, tmp_path):
    """Mode, attention, weights; training can go on."""
    twin = copy.deepcopy(module).train()
    write_onnx(twin, tmp_path / "a.onnx", max_length=24)
    assert twin.training
    assert twin.encoder.config._attn_implementation == module.encoder.config._attn_implementation == "sdpa"
    assert plain_copy(twin).encoder.config._attn_implementation == "eager"
    for name, weight in module.state_dict().items():
        torch.testing.assert_close(twin.state_dict()[name], weight, rtol=0, atol=0)


def test_exporting_prints_nothing(module, tmp_path, capfd):
    """Neither stream; warnings are errors in this suite already."""
    write_onnx(module, tmp_path / "a.onnx", max_length=24)
    assert capfd.readouterr() == ("", "")
