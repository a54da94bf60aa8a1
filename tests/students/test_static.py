"""A static student is the weighted mean that it says it is, and starts from what is given."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.errors import ConfigError
from coffey.students.static import StaticStudent
from coffey.students.static_initialization import (
    initialize_static,
    initialize_static_from_scratch,
    principal,
    read_alone,
)
from coffey.students.static_shape import StaticShape, parse_static
from coffey.students.teacher_body import read_teacher

SHAPE = StaticShape(width=16, vocabulary=40, max_length=12, labels=5, hidden=8)


def distances(vectors):
    return torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")


@pytest.mark.parametrize("hidden", [0, 24])
def test_the_formula_counts_what_is_built(hidden):
    """Both counts equal those of the built module."""
    shape = StaticShape(width=16, vocabulary=40, max_length=12, labels=5, hidden=hidden)
    student = StaticStudent(shape)
    tables = student.tokens.weight.numel() + student.log_weights.weight.numel()
    assert shape.parameters() == sum(weight.numel() for weight in student.parameters())
    assert shape.parameters_without_embeddings() == shape.parameters() - tables


def test_features_are_the_weighted_mean():
    """Against the same sum in numpy, padding left out; a text without tokens gives zeros."""
    student = StaticStudent(SHAPE).eval()
    torch.manual_seed(3)
    torch.nn.init.normal_(student.log_weights.weight)
    ids, mask = torch.tensor([[3, 7, 9], [5, 0, 0]]), torch.tensor([[1, 1, 1], [0, 0, 0]])
    with torch.inference_mode():
        _, features = student(ids, mask)
    weights = student.log_weights.weight.detach().exp().numpy()[[3, 7, 9], 0]
    expected = np.average(student.tokens.weight.detach().numpy()[[3, 7, 9]], axis=0, weights=weights)
    np.testing.assert_allclose(features[0].numpy(), expected, rtol=1e-5, atol=1e-6)
    assert features[1].abs().max() == 0


def test_order_and_padding_change_nothing():
    """Tokens do not see each other."""
    student = StaticStudent(SHAPE).eval()
    initialize_static_from_scratch(student, seed=1)
    with torch.inference_mode():
        one, _ = student(torch.tensor([[3, 7, 9]]), torch.ones((1, 3), dtype=torch.int64))
        other, _ = student(torch.tensor([[9, 3, 7, 2]]), torch.tensor([[1, 1, 1, 0]]))
    torch.testing.assert_close(one, other)


@given(
    target=st.integers(15_000, 3_000_000),
    labels=st.integers(2, 150),
    vocabulary=st.integers(3000, 9000),
)
def test_a_target_is_met_within_ten_percent_or_refused(target, labels, vocabulary):
    """Never more words than there are, never fewer than any student needs; too small a target is refused."""
    sizes = {"labels": labels, "vocabulary": vocabulary, "max_length": 32, "smallest_vocabulary": 2000}
    least = parse_static("static:width=8,vocabulary=2000", **sizes).parameters()
    if least > 1.10 * target:
        with pytest.raises(ConfigError, match=f"between {least:,}"):
            parse_static(f"static:{target}", **sizes)
        return
    shape = parse_static(f"static:{target}", **sizes)
    assert abs(shape.parameters() / target - 1) <= 0.10
    assert 2000 <= shape.vocabulary <= vocabulary


def test_a_shape_is_taken_as_written_and_reads_back():
    """The vocabulary is what the texts can fill, at most."""
    text = "static: width=64, vocabulary=8000, hidden=32"
    shape = parse_static(text, labels=4, vocabulary=500, max_length=9)
    assert shape == StaticShape(width=64, vocabulary=500, max_length=9, labels=4, hidden=32)
    assert parse_static(str(shape), labels=4, vocabulary=500, max_length=9) == shape


@pytest.mark.parametrize(
    "stage",
    ["static:", "static:10K", "static:900M", "static:vocabulary=9", "static:width=0", "static:layers=2"],
)
def test_what_cannot_be_built_is_refused_by_name(stage):
    """The error names the key and the text that was given."""
    with pytest.raises(ConfigError) as refused:
        parse_static(stage, labels=4, vocabulary=5000, max_length=32, smallest_vocabulary=2000)
    assert (refused.value.problems[0].key, refused.value.problems[0].value) == ("chain.stages", stage)


def test_tokens_start_from_what_an_encoder_says_of_them_alone(bert, tokenizer):
    """At full width they are as far from each other as the encoder's; all weigh the same."""
    source = read_teacher(bert, max_length=16, labels=3)
    size = tokenizer.get_vocab_size()
    student = StaticStudent(StaticShape(width=source.shape.width, vocabulary=size, max_length=16, labels=3))
    initialize_static(student, source, old_ids=np.arange(size), tokenizer=tokenizer, seed=1)
    special = tokenizer.encode("").ids
    middle = torch.tensor([[special[0], 9, special[1]]])
    alone = read_alone(source, torch.arange(size), tokenizer)
    with torch.inference_mode():
        torch.testing.assert_close(alone[9], source(middle, torch.ones_like(middle))[1][0])
    theirs, ours = distances(alone), distances(student.tokens.weight.detach())
    torch.testing.assert_close(ours, theirs * (ours.sum() / theirs.sum()), rtol=1e-3, atol=1e-5)
    assert not student.log_weights.weight.any()


def test_a_narrower_static_student_keeps_the_main_directions():
    """Projection onto fewer principal components loses what varies least."""
    vectors = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 1.0, 0.01])
    kept = principal(vectors, 2)
    torch.testing.assert_close(distances(kept), distances(vectors), rtol=0.02, atol=0.1)
