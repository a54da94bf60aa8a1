"""A student's checkpoint answers as the student does, in the hands of `transformers`."""

from __future__ import annotations

import dataclasses
import json
import sys

import pytest
import torch
import transformers.dynamic_module_utils
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from coffey.artifact.encoding import TextEncoder
from coffey.core.errors import ArtifactError, StoreUnavailable
from coffey.export import checkpoint
from coffey.export.checkpoint import read_checkpoint, write_checkpoint
from coffey.students.checkpoint import SavedStudent
from coffey.students.family import new_student
from coffey.students.module import ModuleStudent
from coffey.students.shape import EncoderShape
from coffey.students.static_shape import StaticShape

LABELS = ("play", "stop", "volume", "news")
SHAPES = {
    "encoder": EncoderShape(2, 32, 2, 64, 20, 12, len(LABELS)),
    "static": StaticShape(width=16, vocabulary=20, max_length=12, labels=len(LABELS)),
    "static with a hidden layer": StaticShape(
        width=16, vocabulary=20, max_length=12, labels=len(LABELS), hidden=8
    ),
}


@pytest.fixture(params=SHAPES)
def saved(request, tokenizer):
    """A student with weights far from zero, so that its logits differ from text to text."""
    student = new_student(SHAPES[request.param], seed=3).eval()
    with torch.no_grad():
        for weight in student.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(7)))
    return SavedStudent(student, tokenizer, LABELS)


def logits_of(saved: SavedStudent, texts: list[str]) -> torch.Tensor:
    batch = TextEncoder(saved.tokenizer.to_str().encode(), saved.student.shape.max_length).encode(texts)
    with torch.inference_mode():
        return saved.student(torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask))[0]


def test_transformers_loads_it_and_answers_the_same(saved, texts, tmp_path, monkeypatch):
    """AutoTokenizer and AutoModel alone, on short, long, empty and padded texts: equal logits and labels."""
    monkeypatch.setattr(transformers.dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    asked = [*texts[:20], "", " ".join(texts[:9])]
    parity = write_checkpoint(tmp_path / "out", saved, texts=asked)
    assert parity.texts == len(asked)
    assert parity.largest_difference < 1e-4
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out", trust_remote_code=True)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out", trust_remote_code=True)
    batch = tokenizer(asked, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        answer = model(**batch, labels=torch.zeros(len(asked), dtype=torch.int64))
    wanted = logits_of(saved, asked)
    assert wanted.std(dim=0).min() > 0.01
    assert torch.allclose(answer.logits, wanted, atol=1e-4)
    assert torch.allclose(answer.loss, nn.functional.cross_entropy(wanted, torch.zeros(len(asked)).long()))
    assert tuple(model.config.id2label.values()) == LABELS


def test_what_is_written_is_read(saved, texts, tmp_path):
    """Weights to the bit, shape, labels and tokenizer; no code of the folder is run."""
    write_checkpoint(tmp_path, saved, texts=texts[:3])
    (tmp_path / "modeling_coffey.py").write_text("raise SystemExit('this was run')")
    found = read_checkpoint(tmp_path)
    assert (found.student.shape, found.labels) == (saved.student.shape, saved.labels)
    weights = saved.student.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in found.student.state_dict().items())
    assert logits_of(found, texts[:5]).equal(logits_of(saved, texts[:5]))


def test_a_factorised_table_is_multiplied_out(tokenizer, texts, tmp_path):
    """The checkpoint is a BERT of one table, and answers as the student with its two factors."""
    shape = dataclasses.replace(SHAPES["encoder"], embedding=16)
    student = SavedStudent(new_student(shape, seed=3).eval(), tokenizer, LABELS)
    assert write_checkpoint(tmp_path, student, texts=texts[:20]).largest_difference < 1e-4
    found = read_checkpoint(tmp_path)
    assert found.student.shape == SHAPES["encoder"]
    assert torch.allclose(logits_of(found, texts[:20]), logits_of(student, texts[:20]), atol=1e-4)


def test_many_labels_are_said_in_the_configuration(saved, tmp_path):
    """So that `pipeline` takes a sigmoid, and training a binary loss."""
    write_checkpoint(tmp_path, saved, texts=["play"], many_labels=True)
    assert json.loads((tmp_path / "config.json").read_text())["problem_type"] == "multi_label_classification"


def test_another_answer_is_refused(saved, texts, tmp_path, monkeypatch):
    """A checkpoint that does not say what its student says is no checkpoint of it."""
    monkeypatch.setattr(checkpoint, "TOLERANCE", -1.0)
    with pytest.raises(ArtifactError, match="a logit is off"):
        write_checkpoint(tmp_path, saved, texts=texts[:3])


def test_other_folders_are_refused(tmp_path, saved):
    """Neither a checkpoint of somebody else, nor a damaged one, nor an empty folder is read."""
    with pytest.raises(StoreUnavailable):
        read_checkpoint(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ArtifactError, match="'bert', expected"):
        read_checkpoint(tmp_path)
    write_checkpoint(tmp_path, saved, texts=["play"])
    (tmp_path / "model.safetensors").write_bytes(b"none")
    with pytest.raises(StoreUnavailable):
        read_checkpoint(tmp_path)


def test_a_module_of_ones_own_has_no_such_form(tokenizer, tmp_path, monkeypatch):
    """The message names what holds it instead."""
    made = ModuleStudent.__new__(ModuleStudent)
    nn.Module.__init__(made)
    made.shape = SHAPES["encoder"]
    with pytest.raises(ArtifactError, match="a module of your own"):
        write_checkpoint(tmp_path, SavedStudent(made, tokenizer, LABELS), texts=["play"])
