"""First weights from a larger encoder keep what it computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from coffey.students.encoder import Student, padding_bias
from coffey.students.initialization import initialize_from, initialize_from_scratch
from coffey.students.reduction import find_basis, kept_energy, observe
from coffey.students.shape import EncoderShape
from coffey.students.teacher_body import read_teacher


@pytest.fixture
def source(bert):
    return read_teacher(bert, max_length=32, labels=3)


@pytest.fixture
def sample(tokenizer, texts):
    encodings = [tokenizer.encode(text).ids for text in texts[:32]]
    return [(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long)) for ids in encodings]


def features(student, sample):
    with torch.inference_mode():
        return torch.cat([student(ids, mask)[1] for ids, mask in sample])


def test_an_equal_shape_is_an_exact_copy(source, sample):
    """Nothing is lost where nothing has to be left out."""
    copy = Student(source.shape).eval()
    everything = np.arange(source.shape.vocabulary)
    initialize_from(copy, source, old_ids=everything, sample=sample, seed=0, classifier=True)
    assert torch.equal(features(copy, sample), features(source, sample))


def test_the_basis_keeps_the_mean_and_most_energy(source, sample):
    """Columns are orthonormal, the mean's direction is kept as the mean's, more columns keep more energy."""
    moments = observe(source, sample).moments
    basis = find_basis(moments, 64)
    torch.testing.assert_close(basis.T @ basis, torch.eye(64), atol=1e-5, rtol=0)
    vector = torch.randn(5, 128)
    torch.testing.assert_close(
        (vector @ basis).mean(1) * 64**0.5, vector.mean(1) * 128**0.5, atol=1e-4, rtol=0
    )
    assert 64 / 128 < kept_energy(moments, basis) < kept_energy(moments, find_basis(moments, 96)) <= 1


@pytest.mark.parametrize(
    "shape",
    [
        EncoderShape(4, 96, 3, 192, 0, 32, 3),
        EncoderShape(4, 128, 4, 192, 0, 32, 3),
        EncoderShape(4, 64, 4, 256, 0, 16, 3),
        EncoderShape(4, 96, 3, 192, 0, 32, 3, embedding=48),
    ],
)
def test_a_reduced_student_resembles_its_source_more_than_chance(source, sample, shape):
    """Its projected features correlate with the source's far better than those of a student from scratch."""
    shape = EncoderShape(**shape.as_json() | {"vocabulary": source.shape.vocabulary})
    reduced, fresh = Student(shape).eval(), Student(shape).eval()
    initialize_from(
        reduced, source, old_ids=np.arange(shape.vocabulary), sample=sample, seed=0, classifier=False
    )
    initialize_from_scratch(fresh, seed=0)
    basis = find_basis(observe(source, sample).moments, shape.width)
    wanted = features(source, sample) @ basis
    assert similarity(features(reduced, sample), wanted) > similarity(features(fresh, sample), wanted) + 0.3


def test_a_projection_of_full_rank_loses_nothing(source, sample):
    """Where the table's factors are as wide as the table, the student is the copy it would be without."""
    whole, factorised = (
        Student(replace(source.shape, embedding=embedding)).eval() for embedding in (0, source.shape.width)
    )
    for student in (whole, factorised):
        ids = np.arange(source.shape.vocabulary)
        initialize_from(student, source, old_ids=ids, sample=sample, seed=0, classifier=True)
    torch.testing.assert_close(features(factorised, sample), features(whole, sample), atol=1e-4, rtol=0)


def similarity(found, wanted):
    found, wanted = found - found.mean(0), wanted - wanted.mean(0)
    return float(torch.nn.functional.cosine_similarity(found, wanted, dim=1).mean())


def test_narrower_heads_keep_their_scores(source, sample):
    """Heads with fewer dimensions attend nearly as before: most of the bilinear form is kept."""
    shape = EncoderShape(**source.shape.as_json() | {"width": 96, "heads": 4, "layers": 1})
    narrow = Student(shape).eval()
    initialize_from(
        narrow, source, old_ids=np.arange(shape.vocabulary), sample=sample, seed=0, classifier=False
    )
    ids, mask = sample[0]
    hidden = narrow.embed(ids)
    assert torch.isfinite(narrow.layers[0](hidden, padding_bias(mask))).all()


def test_chance_is_decided_by_the_seed():
    """The same seed gives the same weights; another seed others; the spread is 0.02."""
    shape = EncoderShape(1, 64, 2, 128, 300, 16, 4)
    first, second, third = Student(shape), Student(shape), Student(shape)
    initialize_from_scratch(first, seed=1)
    initialize_from_scratch(second, seed=1)
    initialize_from_scratch(third, seed=2)
    assert torch.equal(first.tokens.weight, second.tokens.weight)
    assert not torch.equal(first.tokens.weight, third.tokens.weight)
    assert 0.015 < float(first.tokens.weight.detach().std()) < 0.02
    assert float(first.layers[0].up.bias.detach().abs().max()) == 0


def test_a_wider_student_cannot_be_reduced_to():
    """`reduces_to` refuses what would need weights that the source does not have."""
    old = EncoderShape(2, 64, 2, 128, 10, 16, 2)
    assert old.reduces_to(EncoderShape(3, 64, 2, 100, 99, 8, 5))
    assert not old.reduces_to(EncoderShape(2, 96, 2, 128, 10, 16, 2))
    assert not old.reduces_to(EncoderShape(2, 64, 4, 128, 10, 16, 2))
    assert not old.reduces_to(EncoderShape(2, 64, 2, 128, 10, 32, 2))
