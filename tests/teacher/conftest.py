"""Little teachers that are real: a tokenizer trained on the spot and random networks around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # the hub client reads it when it is imported, below

import tokenizers
import torch
import transformers

from coffey.teacher.quiet import quietly

torch.set_num_threads(1)

TEXTS = [
    "good",
    "a truly bad and boring film that nobody should ever watch again, not even once, not for money",
    "what a lovely day at the cinema",
    "terrible, terrible, terrible",
    "I liked it more than the book",
    "I hated every minute of that, and so did everyone else in the long queue behind me at the exit",
    "fine",
    "",
]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return list(TEXTS)


def save_tokenizer(folder: Path, **settings: object) -> int:
    trained = tokenizers.BertWordPieceTokenizer()
    trained.train_from_iterator(TEXTS, vocab_size=200, show_progress=False)
    with quietly():
        wrapped = transformers.BertTokenizer(tokenizer_object=trained._tokenizer, **settings)
        wrapped.save_pretrained(folder)
    return trained.get_vocab_size()


def tiny_config(kind: type[transformers.PretrainedConfig], vocabulary: int, **more: object) -> object:
    return kind(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
        **more,
    )


NAMES = {0: "bad", 1: "fine", 2: "good"}


def save_classifier(folder: Path, kind: str = "Bert", **more: object) -> Path:
    vocabulary = save_tokenizer(folder)
    torch.manual_seed(0)
    more.setdefault("id2label", NAMES)
    config = tiny_config(getattr(transformers, f"{kind}Config"), vocabulary, pad_token_id=0, **more)
    with quietly():
        getattr(transformers, f"{kind}ForSequenceClassification")(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedder")
    vocabulary = save_tokenizer(folder)
    torch.manual_seed(1)
    with quietly():
        config = tiny_config(transformers.BertConfig, vocabulary)
        transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def make_classifier(tmp_path: Path) -> Callable[..., Path]:
    def make(kind: str = "Bert", **config: object) -> Path:
        folder = tmp_path / f"{kind}{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return save_classifier(folder, kind, **config)

    return make
