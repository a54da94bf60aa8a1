"""The networks of checkpoints in one form: token ids in, logits and features out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel

from coffey.core.errors import LabelRejected, TeacherUnavailable
from coffey.teacher.pooling import Pooling
from coffey.teacher.quiet import quietly


class SplitClassifier(torch.nn.Module):
    """A sequence-classification model, split before its last linear layer."""

    def __init__(self, body: PreTrainedModel, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.body = body
        self.linear = linear

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`(logits [b, labels], features [b, width])` of int64 [b, t] ids and mask."""
        features = self.body(input_ids=input_ids, attention_mask=attention_mask).logits
        return self.linear(features), features


class Embedder(torch.nn.Module):
    """A sentence-embedding model: token vectors, pooled."""

    def __init__(self, body: PreTrainedModel, pooling: Pooling) -> None:
        super().__init__()
        self.body = body
        self.pooling = pooling

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Embeddings, float32 [b, width], of int64 [b, t] ids and mask."""
        output = self.body(input_ids=input_ids, attention_mask=attention_mask)
        return self.pooling.pool(output.last_hidden_state, attention_mask)


class HeadedEmbedder(torch.nn.Module):
    """An `Embedder` with a linear classification head."""

    def __init__(self, embedder: Embedder, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.embedder = embedder
        self.linear = linear

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`(logits [b, labels], features [b, width])` of int64 [b, t] ids and mask."""
        features = self.embedder(input_ids, attention_mask)
        return self.linear(features), features


Network = SplitClassifier | HeadedEmbedder


def body_of(network: Network) -> PreTrainedModel:
    """The transformers model inside a network."""
    return network.body if isinstance(network, SplitClassifier) else network.embedder.body


def load_classifier(source: str, folder: Path) -> SplitClassifier:
    """The sequence-classification checkpoint in `folder`, float32, in evaluation mode.

    Raises:
        TeacherUnavailable: it cannot be loaded, or lacks weights.
        LabelRejected: its last layer is not one linear layer over one vector a text.
    """
    model = _load(source, folder, AutoModelForSequenceClassification)
    name, linear = _last_linear(source, model)
    probe = torch.ones((2, 4), dtype=torch.int64)
    with torch.inference_mode():
        whole = model(input_ids=probe, attention_mask=probe).logits
        model.set_submodule(name, torch.nn.Identity())
        split = SplitClassifier(model, linear).eval()
        logits, features = split(probe, probe)
    if features.ndim != 2 or not torch.allclose(logits, whole, atol=1e-5):
        raise LabelRejected(
            source, "a classifier that ends in one linear layer over one vector", f"layer {name!r} of another"
        )
    return split


def load_embedder(source: str, folder: Path) -> Embedder:
    """The sentence-embedding checkpoint in `folder`, float32, in evaluation mode, with its own pooling.

    Raises:
        TeacherUnavailable: it cannot be loaded, or lacks weights.
        LabelRejected: a pooling that is neither mean nor cls.
    """
    pooling = Pooling.of(source, folder)
    model: Any = _load(source, folder, AutoModel, unused="pooler.")
    if "add_pooling_layer" in type(model).__init__.__code__.co_varnames:
        model.pooler = None  # reads the first token for next-sentence prediction; embeddings do not use it
    return Embedder(model, pooling).eval()


def longest(body: PreTrainedModel, asked: int) -> int:
    """The longest input in tokens: `asked`, or what the model has positions for when that is less."""
    positions = getattr(body.config, "max_position_embeddings", None)
    if positions is None:
        return asked
    tables = (m for name, m in body.named_modules() if name.endswith("position_embeddings"))
    padding = getattr(next(tables, None), "padding_idx", None)
    return min(asked, int(positions) - (0 if padding is None else padding + 1))  # RoBERTa starts after it


def bert_like(body: PreTrainedModel) -> torch.nn.Module | None:
    """The body's `embeddings` + `encoder.layer` module, if it has that form."""
    base = body.base_model
    layers = getattr(getattr(base, "encoder", None), "layer", None)
    words = getattr(getattr(base, "embeddings", None), "word_embeddings", None)
    first = layers[0] if isinstance(layers, torch.nn.ModuleList) and len(layers) else None
    query = getattr(getattr(getattr(first, "attention", None), "self", None), "query", None)
    return base if words is not None and query is not None else None


def _load(source: str, folder: Path, kind: Any, *, unused: str = "\0") -> PreTrainedModel:
    try:
        with quietly():
            model, report = kind.from_pretrained(
                folder,
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (OSError, ValueError, ImportError, RuntimeError) as exc:
        raise TeacherUnavailable(source, f"its checkpoint cannot be loaded ({exc})") from exc
    lacking = sorted(name for name in report["missing_keys"] if not name.startswith(unused))
    if lacking:
        raise TeacherUnavailable(source, f"its checkpoint lacks weights ({', '.join(lacking[:4])})")
    loaded: PreTrainedModel = model.eval()
    return loaded


def _last_linear(source: str, model: PreTrainedModel) -> tuple[str, torch.nn.Linear]:
    for name, module in reversed(list(model.named_modules())):
        if isinstance(module, torch.nn.Linear) and module.out_features == model.config.num_labels:
            return name, module
    raise LabelRejected(source, "a classifier that ends in a linear layer", type(model).__name__)
