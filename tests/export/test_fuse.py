"""Attention, norms and GELU fuse, and the fused graph says the same."""

from __future__ import annotations

import logging

import numpy as np
import onnx
import torch
from torch import nn

from coffey.artifact.runtime import Runtime
from coffey.export.fuse import count_operators, fuse
from coffey.export.heads import UNKNOWN, find_heads
from coffey.export.onnx import write_onnx


def test_every_layer_of_a_transformers_bert_fuses(exported, tmp_path):
    """Two layers: two attentions, two GELUs, four norms with their residuals, one embedding."""
    fused = fuse(exported, tmp_path / "fused.onnx")
    assert fused == {"EmbedLayerNormalization": 1, "Attention": 2, "BiasGelu": 2, "SkipLayerNormalization": 4}
    counts = count_operators(tmp_path / "fused.onnx")
    assert counts["Attention"] == 2
    assert "Softmax" not in counts


def test_the_embeddings_can_be_left_apart(exported, tmp_path):
    """Attention fuses all the same."""
    fused = fuse(exported, tmp_path / "apart.onnx", embeddings=False)
    assert fused["Attention"] == 2
    assert "EmbedLayerNormalization" not in fused


def test_fusing_changes_no_answer(exported, tmp_path, tokenizer, texts):
    """Up to rounding."""
    fuse(exported, tmp_path / "fused.onnx")
    plain, fused = (
        Runtime(
            model=path.read_bytes(),
            tokenizer=tokenizer.to_str().encode(),
            labels=tuple("abcd"),
            max_length=24,
        ).predict(texts)
        for path in (exported, tmp_path / "fused.onnx")
    )
    np.testing.assert_allclose(plain, fused, atol=1e-5)


class Bag(nn.Module):
    """No attention at all."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(200, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, input_ids, attention_mask):
        weight = attention_mask.unsqueeze(-1).float()
        features = (self.words(input_ids) * weight).sum(1) / weight.sum(1)
        return self.head(features), features


def test_a_module_without_attention_is_exported_too(tmp_path):
    """Nothing fuses, nothing breaks."""
    torch.manual_seed(0)
    write_onnx(Bag().eval(), tmp_path / "bag.onnx", max_length=24)
    assert find_heads(onnx.load(str(tmp_path / "bag.onnx"))) == UNKNOWN
    assert fuse(tmp_path / "bag.onnx", tmp_path / "fused.onnx") == {}


def test_the_heads_are_read_off_the_graph(exported):
    """transformers writes -1 for their number."""
    assert find_heads(onnx.load(str(exported))) == (4, 32)


def test_fusing_neither_prints_nor_sets_up_logging(exported, tmp_path, capfd):
    """The root logger has the handlers that it had."""
    before = list(logging.getLogger().handlers)
    fuse(exported, tmp_path / "fused.onnx")
    assert logging.getLogger().handlers == before
    assert capfd.readouterr() == ("", "")
