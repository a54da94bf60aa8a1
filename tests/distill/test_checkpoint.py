"""A checkpoint is gone on from to the bit, or refused by its name."""

from __future__ import annotations

import random

import pytest
import torch

from coffey.core.errors import StoreUnavailable, UnknownFormat
from coffey.distill import checkpoint
from coffey.distill.checkpoint import Position, load_checkpoint, save_checkpoint
from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape


def build():
    student = Student(EncoderShape(1, 32, 1, 64, 50, 8, 2))
    return student, torch.optim.AdamW(student.parameters())


@pytest.fixture
def saved(tmp_path):
    """A checkpoint after one step, and the student that it is of."""
    student, optimizer = build()
    sum(parameter.square().sum() for parameter in student.parameters()).backward()
    optimizer.step()
    path = tmp_path / "c.pt"
    save_checkpoint(path, Position(step=1, first_loss=0.5), student, optimizer, student.state_dict())
    return path, student


def test_what_is_saved_is_loaded(saved):
    """Position, weights, best weights and torch's random state."""
    path, student = saved
    other, optimizer = build()
    torch.manual_seed(3)
    position, best = load_checkpoint(path, other, optimizer)
    assert position == Position(step=1, first_loss=0.5)
    for name, value in student.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
        assert torch.equal(best[name], value)
    drawn = torch.rand(3)
    load_checkpoint(path, other, optimizer)
    assert torch.equal(torch.rand(3), drawn)


def test_a_flipped_bit_is_refused_or_harmless(saved):
    """In most places it is noticed; where it is not, it stands between the entries and changes nothing."""
    path, student = saved
    whole, draw, said = path.read_bytes(), random.Random(11), []
    for position in draw.sample(range(len(whole)), 60):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        other, optimizer = build()
        try:
            load_checkpoint(path, other, optimizer)
        except StoreUnavailable as exc:
            said.append(str(exc))
        else:
            for name, value in student.state_dict().items():
                assert torch.equal(other.state_dict()[name], value)
    assert len(said) > 40
    assert all("c.pt" in one for one in said)


def test_a_file_that_was_cut_is_named(saved):
    """At any length."""
    path, _ = saved
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreUnavailable, match=r"c\.pt.*remove it"):
            load_checkpoint(path, *build())


def test_another_format_and_no_file(saved, monkeypatch):
    """Another version's is refused; where there is none, a stage begins."""
    path, _ = saved
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    with pytest.raises(UnknownFormat, match=r"c\.pt"):
        load_checkpoint(path, *build())
    path.unlink()
    assert load_checkpoint(path, *build()) is None
