"""A teacher's encoder read as a student of its own size, so that both are reduced by one function."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape

BERT = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "output_norm": "output.LayerNorm",
}
"""Parts of a student's layer by their names in BERT."""
_DISTILBERT = {
    "attention.query": "attention.q_lin",
    "attention.key": "attention.k_lin",
    "attention.value": "attention.v_lin",
    "attention.output": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
    "up": "ffn.lin1",
    "down": "ffn.lin2",
    "output_norm": "output_layer_norm",
}
_BODIES = (("encoder.layer.", BERT), ("transformer.layer.", _DISTILBERT))


def read_teacher(encoder: nn.Module, *, max_length: int, labels: int) -> Student | None:
    """The teacher's encoder as a `Student` that computes the same hidden states.

    BERT, RoBERTa and DistilBERT names are known. Token type 0 is folded into the positions. The classifier
    is not the teacher's.

    Args:
        encoder: the body alone, for example `BertModel`.
        max_length: positions to keep, in tokens; fewer when the teacher has fewer.
        labels: number of labels of the (new) classifier.

    Returns:
        None when the encoder is not BERT-like: other names, other activation than GELU, no position table.
    """
    weights = encoder.state_dict()
    config = getattr(encoder, "config", None)
    activation = getattr(config, "hidden_act", getattr(config, "activation", None))
    heads = getattr(config, "num_attention_heads", None)
    body = next(
        ((prefix, names) for prefix, names in _BODIES if f"{prefix}0.{names['up']}.weight" in weights), None
    )
    if body is None or activation != "gelu" or not isinstance(heads, int):
        return None
    translated = _translate(weights, *body, first_position=_first_position(encoder), max_length=max_length)
    if translated is None:
        return None
    student = Student(_shape(translated, heads, labels), dropout=0.0)
    translated["classifier.weight"] = torch.zeros_like(student.classifier.weight)
    translated["classifier.bias"] = torch.zeros_like(student.classifier.bias)
    student.load_state_dict(translated)
    return student.eval()


def _translate(
    weights: Mapping[str, Tensor],
    prefix: str,
    names: Mapping[str, str],
    *,
    first_position: int,
    max_length: int,
) -> dict[str, Tensor] | None:
    positions = weights.get("embeddings.position_embeddings.weight")
    if positions is None:
        return None
    positions = positions[first_position : first_position + max_length].float()
    types = weights.get("embeddings.token_type_embeddings.weight")
    translated = {
        "tokens.weight": weights["embeddings.word_embeddings.weight"].float(),
        "positions.weight": positions if types is None else positions + types[0].float(),
        "norm.weight": weights["embeddings.LayerNorm.weight"].float(),
        "norm.bias": weights["embeddings.LayerNorm.bias"].float(),
    }
    layer = 0
    while f"{prefix}{layer}.{names['up']}.weight" in weights:
        for ours, theirs in names.items():
            for part in ("weight", "bias"):
                translated[f"layers.{layer}.{ours}.{part}"] = weights[
                    f"{prefix}{layer}.{theirs}.{part}"
                ].float()
        layer += 1
    return {name: value.detach().cpu() for name, value in translated.items()}


def _first_position(encoder: nn.Module) -> int:
    """RoBERTa counts positions from padding_idx + 1; BERT from 0."""
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def _shape(translated: Mapping[str, Tensor], heads: int, labels: int) -> EncoderShape:
    vocabulary, width = translated["tokens.weight"].shape
    return EncoderShape(
        layers=sum(name.endswith("up.weight") for name in translated),
        width=width,
        heads=heads,
        intermediate=translated["layers.0.up.weight"].shape[0],
        vocabulary=vocabulary,
        max_length=translated["positions.weight"].shape[0],
        labels=labels,
    )
