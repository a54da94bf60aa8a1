"""A small WordPiece tokenizer and a small BERT, both made here."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from coffey.students.vocabulary import train_tokenizer

TEXTS = tuple(
    f"{verb} the {thing} {when}"
    for verb in ("switch on", "switch off", "repair", "order", "photograph")
    for thing in ("kitchen light", "heating", "washing machine", "café's espresso machine", "loudspeaker")
    for when in ("now", "tomorrow", "at 7:45", "before midnight")
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def texts() -> tuple[str, ...]:
    return TEXTS


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train_tokenizer(TEXTS, size=260)


@pytest.fixture(scope="session")
def bert(tokenizer: Tokenizer) -> BertModel:
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=40,
        initializer_range=0.1,
    )
    return BertModel(config, add_pooling_layer=False).eval()
