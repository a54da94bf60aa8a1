"""A small transfer set, settings for it, and a teacher whose network can be taken out."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from coffey.artifact.signing import Signer
from coffey.core.settings import (
    ChainSettings,
    CostSettings,
    DataSettings,
    ProjectSettings,
    Settings,
    TeacherSettings,
)
from coffey.distill.batches import tokenize
from coffey.export.teacher import Shelf
from coffey.probe.options import ProbeOptions
from coffey.students.encoder import Student, probabilities_of
from coffey.students.initialization import initialize_from_scratch
from coffey.students.shape import EncoderShape
from coffey.students.vocabulary import train_tokenizer
from coffey.testing.teacher import FixedTeacher

VERBS = ("switch on", "turn off", "repair", "order", "buy", "mend", "start")
THINGS = ("the light", "the heating", "my radio", "a loudspeaker", "the oven in the kitchen")
TIMES = ("now", "tomorrow", "at seven", "please", "when I am home")
LABELS = ("on", "off", "fix")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return [" ".join(words) for words in product(VERBS, THINGS, TIMES)]


@pytest.fixture
def settings() -> Settings:
    return Settings(
        project=ProjectSettings(name="test"),
        teacher=TeacherSettings(
            kind="python", source="a:b", batch_size=16, cost=CostSettings(usd_per_hour=3.6)
        ),
        data=DataSettings(transfer="t", holdout="h"),
        chain=ChainSettings(
            stages=("layers=4,width=128", "layers=1,width=32"), batch_size=8, max_length=16, threads=1
        ),
    )


@pytest.fixture
def options() -> ProbeOptions:
    return ProbeOptions(texts=48, again=16, seconds=0.1, serve=False)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(name="test-teacher", store=tmp_path / "store", signer=Signer.open(tmp_path / "keys"))


class NetworkTeacher(FixedTeacher):
    """A student in the role of a teacher: real tokenizer, real network."""

    max_length = 24

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(LABELS)
        self._tokenizer = train_tokenizer(texts, size=150)
        shape = EncoderShape(3, 64, 2, 256, self._tokenizer.get_vocab_size(), self.max_length, len(LABELS))
        self.params = shape.parameters()
        self._module = Student(shape).eval()
        initialize_from_scratch(self._module, seed=1)

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        tokenized = tokenize(self._tokenizer, texts, max_length=self.max_length)
        with torch.inference_mode():
            return probabilities_of(self._module(*tokenized.pad(np.arange(len(texts))))[0]).numpy()

    def module(self) -> torch.nn.Module:
        return self._module

    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_str(self._tokenizer.to_str())

    def encoder(self) -> None:
        return None


@pytest.fixture(scope="session")
def network_teacher(texts: list[str]) -> NetworkTeacher:
    torch.set_num_threads(1)
    return NetworkTeacher(texts)
