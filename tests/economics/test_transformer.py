"""Parameters are counted as real models have them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.economics.transformer import TransformerShape
from coffey.students.shape import EncoderShape

BERT_BASE = TransformerShape(
    layers=12, width=768, heads=12, intermediate=3072, vocabulary=30522, outputs=0, positions=512, segments=2
)
GPT2 = TransformerShape(
    layers=12, width=768, heads=12, intermediate=3072, vocabulary=50257, outputs=50257, positions=1024,
    tied=True, per_token=True,
)  # fmt: skip
LLAMA_1B = TransformerShape(
    layers=16, width=2048, heads=32, key_value_heads=8, intermediate=8192, vocabulary=128256, outputs=128256,
    gated=True, bias=False, norm_parts=1, tied=True, per_token=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "known"), [(BERT_BASE, 108_891_648), (GPT2, 124_439_808), (LLAMA_1B, 1_235_814_400)]
)
def test_known_models_are_counted_exactly(shape: TransformerShape, known: int) -> None:
    """BERT-base without its pooler, GPT-2 and Llama 3.2 1B, as their checkpoints state."""
    assert shape.parameters() == known


@pytest.mark.slow
def test_counts_are_those_of_the_modules() -> None:
    """transformers builds the same number of parameters (without memory, on the meta device)."""
    import torch
    from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

    llama = LlamaConfig(
        num_hidden_layers=16, hidden_size=2048, num_attention_heads=32, num_key_value_heads=8,
        intermediate_size=8192, vocab_size=128256, tie_word_embeddings=False,
    )  # fmt: skip
    untied = dataclasses.replace(LLAMA_1B, tied=False)
    with torch.device("meta"):
        built = (BertModel(BertConfig(), add_pooling_layer=False), LlamaForCausalLM(llama))
    found = [sum(parameter.numel() for parameter in module.parameters()) for module in built]
    assert found == [BERT_BASE.parameters(), untied.parameters()]


@settings(deadline=None)
@given(
    layers=st.integers(1, 6), heads=st.integers(1, 4), inner=st.integers(1, 300), words=st.integers(1, 900),
    positions=st.integers(1, 128), labels=st.integers(2, 50),
)  # fmt: skip
def test_a_student_is_counted_as_its_shape_counts_itself(
    layers: int, heads: int, inner: int, words: int, positions: int, labels: int
) -> None:
    """`EncoderShape.parameters`, which equals the module's, and this count agree on every encoder."""
    student = EncoderShape(layers, 32 * heads, heads, inner, words, positions, labels)
    alike = TransformerShape(
        layers=layers, width=32 * heads, heads=heads, intermediate=inner, vocabulary=words, outputs=labels,
        positions=positions,
    )  # fmt: skip
    assert alike.parameters() == student.parameters()
