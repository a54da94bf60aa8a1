"""A teacher is exported once and kept; what is not whole, or another's, is made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coffey.artifact.encoding import TextEncoder
from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Signer, Trust
from coffey.core.errors import ParityExceeded
from coffey.export.parity import torch_probabilities
from coffey.export.teacher import Shelf, keep_teacher
from coffey.testing.teacher import FixedTeacher


class TinyTeacher(FixedTeacher):
    """The tiny BERT in the role of a teacher; counts how often its network is taken out."""

    max_length = 24

    def __init__(self, module: Any, tokenizer: Any, *, seed: int = 0) -> None:
        super().__init__(("play", "stop", "volume", "news"), seed=seed)
        self._module, self._tokenizer, self.taken = module, tokenizer, 0

    def predict(self, texts: Any) -> Any:
        encoder = TextEncoder(self._tokenizer.to_str().encode(), self.max_length)
        return torch_probabilities(self._module, encoder.encode, texts)

    def module(self) -> torch.nn.Module:
        self.taken += 1
        return self._module

    def tokenizer(self) -> Any:
        return self._tokenizer

    def encoder(self) -> None:
        return None


@pytest.fixture
def teacher(module: Any, tokenizer: Any) -> TinyTeacher:
    return TinyTeacher(module, tokenizer)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(name="t-teacher", store=tmp_path / "store", signer=Signer.open(tmp_path / "keys"))


def test_the_second_who_asks_gets_the_first_ones_bytes(
    teacher: TinyTeacher, shelf: Shelf, texts: list[str]
) -> None:
    """Signed, verified, saying what the network says; the network is taken out once."""
    path = keep_teacher(teacher, texts, shelf)
    assert keep_teacher(teacher, texts[50:], shelf) == path
    assert teacher.taken == 1
    predictor = Predictor.load(path, trust=Trust.of_signer(shelf.signer))
    assert np.abs(predictor.predict(texts[:40]) - teacher.predict(texts[:40])).max() < 1e-4
    assert predictor.manifest.lineage.teacher == teacher.fingerprint
    assert [one.name for one in predictor.manifest.quantization.variants] == ["fused"]


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_changed_byte_is_never_trusted(
    teacher: TinyTeacher, shelf: Shelf, texts: list[str], name: str
) -> None:
    """The kept one is left alone and another takes its place."""
    path = keep_teacher(teacher, texts, shelf)
    file = path / name
    file.chmod(0o644)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    again = keep_teacher(teacher, texts, shelf)
    assert again != path
    assert keep_teacher(teacher, texts, shelf) == again
    assert teacher.taken == 2


def test_another_teacher_or_signer_is_exported_anew(
    teacher: TinyTeacher, module: Any, tokenizer: Any, shelf: Shelf, texts: list[str], tmp_path: Path
) -> None:
    """The fingerprint names what is kept, and a key that is not ours vouches for nothing."""
    first = keep_teacher(teacher, texts, shelf)
    other = TinyTeacher(module, tokenizer, seed=1)
    assert keep_teacher(other, texts, shelf) != first
    theirs = Shelf(name=shelf.name, store=shelf.store, signer=Signer.open(tmp_path / "other keys"))
    assert keep_teacher(teacher, texts, theirs) != first
    assert (other.taken, teacher.taken) == (1, 2)


def test_a_graph_that_says_something_else_is_refused(
    teacher: TinyTeacher, shelf: Shelf, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept of it."""

    def turned(*args: Any) -> Any:
        return np.roll(torch_probabilities(*args), 1, axis=1)

    monkeypatch.setattr("coffey.export.single.torch_probabilities", turned)
    with pytest.raises(ParityExceeded, match="fused"):
        keep_teacher(teacher, texts, shelf)
    assert not (shelf.store / "teachers").exists()
