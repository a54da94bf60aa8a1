"""A fingerprint changes with what decides answers, and with nothing else."""

from __future__ import annotations

import shutil

import pytest

from coffey.teacher.checkpoint import CheckpointTeacher
from coffey.teacher.fingerprint import digest_checkpoint, fingerprint


@pytest.fixture
def copied(classifier, tmp_path):
    return shutil.copytree(classifier, tmp_path / "copy")


def test_a_moved_checkpoint_keeps_its_fingerprint(classifier, copied):
    """Paths, threads, batch sizes and a readme decide no answer."""
    (copied / "README.md").write_text("hello")
    one = CheckpointTeacher.load(str(classifier), threads=1)
    other = CheckpointTeacher.load(str(copied), threads=2, batch_size=7)
    assert one.fingerprint == other.fingerprint == fingerprint(one.header)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_every_file_that_decides_answers_is_covered(copied, name):
    """One more byte in weights, configuration or tokenizer is another teacher."""
    before = digest_checkpoint(copied)
    with (copied / name).open("ab") as file:
        file.write(b" ")
    after = digest_checkpoint(copied)
    assert {key for key in before if before[key] != after[key]} == {name}


def test_the_cut_of_long_texts_is_covered(classifier):
    """Another max_length is another teacher."""
    one, other = (CheckpointTeacher.load(str(classifier), threads=1, max_length=n) for n in (16, 32))
    assert one.fingerprint != other.fingerprint
