"""A user's own module is a student when it keeps the contract, and is refused by name when it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from coffey.core.errors import CoffeyError, ConfigError
from coffey.students.checkpoint import load_student, save_student
from coffey.students.family import build_student, new_student, parse_stage, read_shape
from coffey.students.static_shape import StaticShape

HERE = {"labels": 3, "vocabulary": 60, "max_length": 16}


@pytest.fixture(autouse=True)
def beside_the_tests(request, monkeypatch):
    monkeypatch.syspath_prepend(request.path.parent)


def test_counts_are_those_of_the_module():
    """With and without its embedding tables."""
    shape = parse_stage("module=own_module:make", **HERE)
    made = build_student(shape)
    assert shape.parameters() == sum(weight.numel() for weight in made.parameters())
    assert shape.parameters() - shape.parameters_without_embeddings() == 60 * 16
    assert parse_stage("module=own_module:make,vocabulary=20", **HERE).vocabulary == 20


def test_the_seed_decides_the_first_weights():
    """And torch's own random numbers go on as if nothing had been drawn."""
    shape = parse_stage("module=own_module:make", **HERE)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, two, other = (new_student(shape, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one.state_dict()[name], two.state_dict()[name]) for name in one.state_dict())
    assert any(not torch.equal(one.state_dict()[name], other.state_dict()[name]) for name in one.state_dict())


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("own_module:one_label_too_many", r"logits \[2, 4\]"),
        ("own_module:logits_alone", "forward returned Tensor"),
        ("own_module:not_a_module", "returned str"),
        ("own_module:needs_more", "colour"),
        ("own_module:never_a_number", "not finite"),
        ("own_module:absent", "has none"),
        ("no_such_module:make", "ModuleNotFoundError"),
    ],
)
def test_a_broken_contract_is_refused_in_a_sentence(function, said):
    """The stage is named, what was expected, and what was found."""
    with pytest.raises(ConfigError, match=said) as refused:
        build_student(parse_stage(f"module={function}", **HERE))
    assert refused.value.problems[0].value == f"module={function}"


@pytest.mark.parametrize("stage", ["module=", "module=own_module", "module=own_module:make,width=3"])
def test_a_text_that_cannot_be_read_is_refused(stage):
    """Before anything is imported."""
    with pytest.raises(ConfigError) as refused:
        parse_stage(stage, **HERE)
    assert refused.value.problems[0].value == stage


@pytest.mark.parametrize("stage", ["module=own_module:make", "static:width=8,hidden=4"])
def test_what_is_saved_is_loaded(stage, tmp_path, tokenizer):
    """Weights to the bit and the shape, of every family."""
    shape = parse_stage(stage, labels=2, vocabulary=tokenizer.get_vocab_size(), max_length=16)
    assert read_shape(shape.as_json()) == shape
    student = new_student(shape, seed=3)
    save_student(tmp_path, student, tokenizer, ["a", "b"])
    saved = load_student(tmp_path).student
    assert saved.shape == shape
    assert all(torch.equal(saved.state_dict()[name], value) for name, value in student.state_dict().items())


def test_other_code_is_another_student():
    """Weights are not given to a module that is no longer the one that they were trained in."""
    shape = replace(parse_stage("module=own_module:make", **HERE), code="0" * 64)
    with pytest.raises(CoffeyError, match="code that this student was made with"):
        build_student(shape)


def test_an_unknown_family_is_refused():
    """A later version's folder does not load as something else."""
    with pytest.raises(LookupError):
        read_shape(StaticShape(8, 20, 16, 2).as_json() | {"family": "tree"})
