"""A small intent task, and a small BERT fine-tuned on it here, as the teacher."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from coffey.core.ids import input_key
from coffey.core.settings import ChainSettings
from coffey.distill.batches import epoch_batches, tokenize
from coffey.distill.records import ChainRequest
from coffey.students.encoder import pool
from coffey.students.vocabulary import train_tokenizer

VERBS = {
    "on": ("switch on", "turn on", "start", "activate"),
    "off": ("switch off", "turn off", "stop", "shut down"),
    "fix": ("repair", "mend", "fix", "restore"),
    "buy": ("order", "buy", "purchase", "get me"),
}
THINGS = ("the kitchen light", "the heating", "the washing machine", "my radio", "a loudspeaker", "the oven")
TIMES = ("now", "tomorrow", "at seven", "before midnight", "please", "when I am home")
LABELS = tuple(VERBS)


@dataclass(frozen=True)
class Task:
    texts: list[str]
    hard: np.ndarray
    teacher: np.ndarray
    tokenizer: Tokenizer
    encoder: BertModel


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def examples() -> tuple[list[str], np.ndarray]:
    rows = [
        (f"{verb} {thing} {time}", LABELS.index(label))
        for label, verbs in VERBS.items()
        for verb in verbs
        for thing in THINGS
        for time in TIMES
    ]
    order = np.random.default_rng(3).permutation(len(rows))[:320]
    return [rows[row][0] for row in order], np.asarray([rows[row][1] for row in order], dtype=np.int64)


@pytest.fixture(scope="session")
def task() -> Task:
    torch.set_num_threads(1)
    torch.manual_seed(11)
    texts, hard = examples()
    tokenizer = train_tokenizer(texts, size=220)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=24,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    encoder = BertModel(config, add_pooling_layer=False)
    head = torch.nn.Linear(64, len(LABELS))
    tokenized = tokenize(tokenizer, texts, max_length=16)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=2e-3)

    def logits(rows):
        ids, mask = tokenized.pad(rows)
        return head(pool(encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask))

    for epoch in range(8):
        for rows in epoch_batches(np.arange(len(texts)), tokenized.lengths, size=32, seed=0, epoch=epoch):
            loss = torch.nn.functional.cross_entropy(logits(rows), torch.from_numpy(hard[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    encoder.eval()
    with torch.inference_mode():
        teacher = torch.softmax(logits(np.arange(len(texts))), dim=-1).numpy()
    return Task(texts, hard, teacher, tokenizer, encoder)


@pytest.fixture
def request_for(task, tmp_path):
    """A chain request on the task; keyword arguments change it, `settings` its settings."""

    def make(settings: dict[str, object] | None = None, **changes: object) -> ChainRequest:
        chosen: dict[str, object] = {
            "epochs": 2.0,
            "batch_size": 32,
            "max_length": 16,
            "threads": 1,
            "learning_rate": 2e-3,
        }
        values: dict[str, object] = {
            "texts": task.texts,
            "keys": [input_key(text) for text in task.texts],
            "teacher": task.teacher,
            "hard": task.hard,
            "validation": np.arange(len(task.texts)) % 5 == 0,
            "labels": LABELS,
            "stages": ("layers=2,width=64,intermediate=128", "layers=1,width=32,intermediate=64"),
            "settings": ChainSettings(**(chosen | (settings or {}))),
            "folder": tmp_path / "run",
            "tokenizer": task.tokenizer,
            "encoder": task.encoder,
        }
        return ChainRequest(**(values | changes))

    return make
