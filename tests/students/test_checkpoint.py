"""A student's folder gives back the student."""

from __future__ import annotations

import json

import pytest
import torch

from coffey.core.errors import StoreUnavailable, UnknownFormat
from coffey.students.checkpoint import load_student, save_student
from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape


def test_what_is_saved_is_loaded(tmp_path, tokenizer):
    """Weights to the bit, tokenizer, labels in order, shape; ready to answer."""
    student = Student(EncoderShape(1, 32, 1, 64, tokenizer.get_vocab_size(), 16, 2))
    save_student(tmp_path / "s", student, tokenizer, ["no", "ja, ü"])
    saved = load_student(tmp_path / "s")
    assert saved.student.shape == student.shape
    assert saved.labels == ("no", "ja, ü")
    assert saved.tokenizer.to_str() == tokenizer.to_str()
    assert not saved.student.training
    for name, value in student.state_dict().items():
        assert torch.equal(saved.student.state_dict()[name], value)


def test_a_missing_or_later_folder_is_named(tmp_path, tokenizer):
    """No folder and a later format are errors that name the path."""
    with pytest.raises(StoreUnavailable, match="nowhere"):
        load_student(tmp_path / "nowhere")
    student = Student(EncoderShape(1, 32, 1, 64, tokenizer.get_vocab_size(), 16, 2))
    save_student(tmp_path, student, tokenizer, ["a", "b"])
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"format": 99}))
    with pytest.raises(UnknownFormat, match="99"):
        load_student(tmp_path)
