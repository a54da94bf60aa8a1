"""The smallest variant within the bound ships, every other says why not, and a wrong graph never ships."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from coffey.artifact.encoding import TextEncoder
from coffey.core.errors import EmptyData, ParityExceeded
from coffey.core.settings import ExportSettings
from coffey.export.export import PARITY_TEXTS, SHIPS, Variant, choose, export_student
from coffey.export.parameters import count_parameters
from coffey.export.parity import torch_probabilities


def variant(name: str, size: int, agreement: float, p50_ms: float = 1.0) -> Variant:
    return Variant(
        name=name,
        path=Path(name),
        bytes=size,
        agreement=agreement,
        largest_difference=0.0,
        p50_ms=p50_ms,
    )


def test_the_runtime_says_what_torch_says(variants, module, texts):
    """fp32 and fused up to rounding, through tokenizer, padding and batching."""
    encoder = TextEncoder(variants.form.tokenizer, variants.form.max_length)
    expected = torch_probabilities(module, encoder.encode, texts)
    for name in ("fp32", "fused"):
        np.testing.assert_allclose(variants.runtime(name).predict(texts), expected, atol=1e-5)
        assert variants.named(name).agreement == 1.0
        assert variants.named(name).largest_difference < 1e-5


def test_int8_is_within_the_bound_and_ships_because_it_is_smallest(variants):
    """With the figures that it was chosen on."""
    assert [item.name for item in variants.variants] == ["fp32", "fused", "int8-embeddings", "int8"]
    int8 = variants.named("int8")
    assert variants.chosen == int8
    assert int8.verdict.startswith(SHIPS)
    assert int8.agreement >= 0.9
    assert 0 < int8.largest_difference < 0.2
    assert int8.bytes == int8.path.stat().st_size < 0.6 * variants.named("fp32").bytes
    assert variants.named("fp32").verdict == "larger than int8"
    assert all(item.p50_ms > 0 for item in variants.variants)
    assert variants.fused["Attention"] == 2
    assert variants.texts == 200


def test_odd_texts_are_answered_by_every_variant(variants):
    """Empty, very long, emoji, a lone surrogate: a distribution each."""
    odd = ["", "music " * 10_000, "\N{GRINNING FACE}\u200d\N{WOMAN}", "\ud800", "\x00 play"]
    for item in variants.variants:
        found = variants.runtime(item.name).predict(odd)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("name", "tolerance"), [("fp32", 1e-5), ("fused", 1e-5), ("int8-embeddings", 1e-5)])
def test_company_does_not_change_an_answer(variants, texts, name, tolerance):
    """Alone or padded in a batch; only int8 products, whose scales span a batch, may move."""
    runtime = variants.runtime(name)
    alone = np.concatenate([runtime.predict([text]) for text in texts[:32]])
    np.testing.assert_allclose(runtime.predict(texts[:32]), alone, atol=tolerance)


def test_company_moves_int8_within_its_own_error(variants, texts):
    """The scales of a batch are wider than those of one text; that moves answers as little as int8 does."""
    runtime = variants.runtime("int8")
    alone = np.concatenate([runtime.predict([text]) for text in texts])
    moved = np.abs(runtime.predict(texts) - alone).max()
    assert moved < 2 * variants.named("int8").largest_difference + 0.01


def test_without_int8_only_fp32_is_made(module, tokenizer, texts, tmp_path):
    """The setting is obeyed."""
    made = export_student(
        module,
        tokenizer,
        labels=tuple("abcd"),
        max_length=24,
        folder=tmp_path,
        holdout_texts=texts[:20],
        settings=ExportSettings(int8=False),
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fp32.onnx", "fused.onnx"]
    assert made.chosen.name in {"fp32", "fused"}


def test_a_graph_that_says_something_else_never_ships(module, tokenizer, texts, tmp_path):
    """A module that reads a Python value at trace time exports wrongly, and parity catches it."""

    class Branching(torch.nn.Module):
        def __init__(self, body: torch.nn.Module) -> None:
            super().__init__()
            self.body = body

        def forward(self, input_ids, attention_mask):
            logits, features = self.body(input_ids, attention_mask)
            return (logits if not torch.jit.is_tracing() else -logits), features

    with pytest.raises(ParityExceeded, match="fp32"):
        export_student(
            Branching(copy.deepcopy(module)).eval(),
            tokenizer,
            labels=tuple("abcd"),
            max_length=24,
            folder=tmp_path,
            holdout_texts=texts,
            settings=ExportSettings(min_parity=0.99),
        )


def test_parity_needs_texts(module, tokenizer, tmp_path):
    """Nothing ships unseen."""
    with pytest.raises(EmptyData, match="holdout"):
        export_student(
            module,
            tokenizer,
            labels=tuple("abcd"),
            max_length=24,
            folder=tmp_path,
            holdout_texts=[],
            settings=ExportSettings(),
        )


def test_a_variant_outside_the_bound_loses_and_the_next_smallest_ships():
    """Each verdict names its reason."""
    made = [variant("fp32", 100, 1.0), variant("fused", 90, 1.0), variant("int8", 30, 0.98)]
    judged, best = choose(made, 0.99)
    assert best.name == "fused"
    assert [item.verdict for item in judged] == ["larger than fused", SHIPS, "agreement 0.9800 is below 0.99"]


def test_a_smaller_but_slower_file_ships_and_says_so():
    """Size decides; the latency is in the record."""
    judged, best = choose([variant("fp32", 100, 1.0, 1.0), variant("int8", 30, 1.0, 2.0)], 0.99)
    assert best.name == "int8"
    assert "slower" in judged[1].verdict


def test_of_two_files_of_one_size_the_faster_ships():
    """Ties are broken by the median."""
    judged, best = choose([variant("fp32", 100, 1.0, 2.0), variant("fused", 100, 1.0, 1.0)], 0.99)
    assert best.name == "fused"
    assert judged[0].verdict == "slower than fused"


@pytest.mark.parametrize("agreement", [0.5, float("nan")])
def test_a_plain_graph_outside_the_bound_is_an_error(agreement):
    """Even if a smaller one happens to be within it."""
    with pytest.raises(ParityExceeded):
        choose([variant("fp32", 100, agreement), variant("int8", 30, 1.0)], 0.99)


def test_parameters_are_counted_with_and_without_embeddings(module, variants):
    """Shared weights once, every embedding table apart."""
    tables = sum(part.weight.numel() for part in module.modules() if isinstance(part, torch.nn.Embedding))
    assert variants.parameters.total == sum(weight.numel() for weight in module.parameters())
    assert variants.parameters.total - variants.parameters.without_embeddings == tables
    tied = torch.nn.ModuleList([torch.nn.Embedding(3, 2), torch.nn.Linear(2, 3, bias=False)])
    tied[1].weight = tied[0].weight
    assert count_parameters(tied).total == 6
    assert PARITY_TEXTS >= 1000
