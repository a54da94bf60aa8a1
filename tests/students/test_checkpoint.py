"""A student's folder gives back the student."""

from __future__ import annotations

import json
import random

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


@pytest.fixture
def saved_folder(tmp_path, tokenizer):
    student = Student(EncoderShape(1, 32, 1, 64, tokenizer.get_vocab_size(), 16, 2))
    save_student(tmp_path, student, tokenizer, ["a", "b"])
    return tmp_path


@pytest.mark.parametrize("name", ["student.safetensors", "tokenizer.json", "labels.json", "config.json"])
def test_a_flipped_bit_is_noticed_and_its_file_is_named(saved_folder, name):
    """Anywhere in any file. In config.json a flip may leave the meaning as it was: then nothing is wrong."""
    whole, draw, said = (saved_folder / name).read_bytes(), random.Random(7), []
    right = load_student(saved_folder)
    for bit in draw.choices(range(8 * len(whole)), k=40):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        (saved_folder / name).write_bytes(flipped)
        try:
            found = load_student(saved_folder)
        except (StoreUnavailable, UnknownFormat) as exc:
            said.append(str(exc))
        else:
            assert name == "config.json"
            assert found.student.shape == right.student.shape
    assert len(said) == 40 if name != "config.json" else len(said) > 20
    assert all(name in one for one in said) or name == "config.json"


@pytest.mark.parametrize("name", ["student.safetensors", "tokenizer.json", "labels.json", "config.json"])
@pytest.mark.parametrize("digests", [True, False])
def test_a_file_that_was_cut_is_named(saved_folder, name, digests):
    """Also in a folder of an earlier version, which has no digests."""
    config = json.loads((saved_folder / "config.json").read_text())
    if not digests:
        del config["sha256"]
        (saved_folder / "config.json").write_text(json.dumps(config))
        assert load_student(saved_folder).labels == ("a", "b")
    whole = (saved_folder / name).read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        (saved_folder / name).write_bytes(whole[:length])
        with pytest.raises(StoreUnavailable, match=name):
            load_student(saved_folder)


def test_another_number_of_heads_is_noticed(saved_folder):
    """It changes every answer and no weight's shape."""
    path = saved_folder / "config.json"
    path.write_text(path.read_text().replace('"heads": 1', '"heads": 2'))
    with pytest.raises(StoreUnavailable, match=r"config\.json"):
        load_student(saved_folder)


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
