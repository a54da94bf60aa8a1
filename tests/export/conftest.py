"""A tiny BERT with mean pooling, its tokenizer, texts, and its export (made once)."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from transformers import BertConfig, BertModel

from coffey.core.settings import ExportSettings
from coffey.export.export import Variants, export_student
from coffey.export.onnx import write_onnx

torch.set_num_threads(1)

WORDS = (
    *("play", "stop", "skip", "louder", "softer", "the", "a", "some"),
    *("music", "song", "radio", "news", "kitchen", "bedroom", "now", "please"),
)
LABELS = ("play", "stop", "volume", "news")
MAX_LENGTH = 24


class TinyBert(nn.Module):
    """transformers' own BertModel, as it comes ("sdpa" attention), with mean pooling and a classifier."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(WORDS) + 200,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=MAX_LENGTH,
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.head = nn.Linear(32, len(LABELS))
        with torch.no_grad():
            self.head.weight.mul_(10)

    def forward(self, input_ids, attention_mask):
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        features = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1.0)
        return self.head(features), features


def make_tokenizer() -> Tokenizer:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def make_texts(count: int) -> list[str]:
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 12, (count,), generator=generator).tolist()
    return [
        " ".join(WORDS[i] for i in torch.randint(0, len(WORDS), (length,), generator=generator).tolist())
        for length in lengths
    ]


@pytest.fixture(scope="session")
def module() -> TinyBert:
    return TinyBert().eval()


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return make_tokenizer()


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return make_texts(200)


@pytest.fixture(scope="session")
def variants(module, tokenizer, texts, tmp_path_factory) -> Variants:
    return export_student(
        module,
        tokenizer,
        labels=LABELS,
        max_length=MAX_LENGTH,
        folder=tmp_path_factory.mktemp("variants"),
        holdout_texts=texts,
        settings=ExportSettings(min_parity=0.9),
    )


@pytest.fixture(scope="session")
def exported(module, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "plain.onnx"
    write_onnx(module, path, max_length=MAX_LENGTH)
    return path
