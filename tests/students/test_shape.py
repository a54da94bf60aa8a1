"""A shape says how many parameters a student has, and a target finds a shape."""

from __future__ import annotations

import pytest

from coffey.core.errors import ConfigError
from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape, parse_encoder


@pytest.mark.parametrize(
    "shape",
    [
        EncoderShape(1, 32, 1, 64, 100, 16, 2),
        EncoderShape(3, 96, 3, 200, 517, 33, 7),
        EncoderShape(2, 64, 4, 256, 50, 8, 1),
        EncoderShape(2, 64, 4, 256, 50, 8, 1, embedding=24),
    ],
)
def test_the_formula_counts_what_is_built(shape):
    """Both counts equal those of the built module."""
    student = Student(shape)
    total = sum(parameter.numel() for parameter in student.parameters())
    tables = student.tokens.weight.numel() + student.positions.weight.numel()
    assert shape.parameters() == total
    assert shape.parameters_without_embeddings() == total - tables


@pytest.mark.parametrize(
    ("target", "wanted"), [("7M", 7e6), ("2M", 2e6), ("700K", 7e5), ("1.5m", 1.5e6), ("400000", 4e5)]
)
@pytest.mark.parametrize("vocabulary", [3000, 7000, 30000])
@pytest.mark.parametrize("labels", [3, 150])
def test_a_target_is_met_within_ten_percent(target, wanted, vocabulary, labels):
    """Whatever the vocabulary, the count is near the target, heads are of 32, and layers are few."""
    shape = parse_encoder(
        target, labels=labels, vocabulary=vocabulary, max_length=64, smallest_vocabulary=2000
    )
    assert abs(shape.parameters() / wanted - 1) <= 0.10
    assert shape.width == 32 * shape.heads
    assert shape.layers <= 4
    assert 2000 <= shape.vocabulary <= vocabulary


def test_smaller_targets_give_smaller_and_never_slower_students():
    """A chain of targets shrinks in parameters that cost time."""
    chain = [
        parse_encoder(target, labels=20, vocabulary=7000, max_length=64) for target in ("7M", "2M", "700K")
    ]
    costs = [shape.parameters_without_embeddings() for shape in chain]
    assert costs == sorted(costs, reverse=True)


def test_a_full_shape_is_taken_as_written():
    """Every size given is kept; the vocabulary is what the texts can fill, at most."""
    shape = parse_encoder(
        "layers=3, width=192, heads=6, intermediate=500, vocabulary=8000",
        labels=4,
        vocabulary=5000,
        max_length=32,
    )
    assert shape == EncoderShape(3, 192, 6, 500, 5000, 32, 4)
    assert parse_encoder(str(shape), labels=4, vocabulary=5000, max_length=32) == shape


def test_a_table_is_factorised_where_it_would_starve_the_layers():
    """Many words in few parameters ask for it; few words, or many parameters, do not."""

    def fitted(target: str, vocabulary: int) -> EncoderShape:
        return parse_encoder(target, labels=6, vocabulary=vocabulary, max_length=32, smallest_vocabulary=100)

    small = fitted("700K", 8500)
    assert 0 < small.embedding <= small.width / 2
    assert small.vocabulary == 8500, "no word is cut"
    assert small.parameters_without_embeddings() > 0.4 * small.parameters()
    assert fitted("7M", 8500).embedding == fitted("700K", 2000).embedding == 0
    assert parse_encoder(str(small), labels=6, vocabulary=8500, max_length=32) == small


def test_a_target_is_met_by_what_can_start_from_the_teacher():
    """Few words leave a target to the layers, which then would be wider than the teacher's."""
    teacher = EncoderShape(6, 384, 12, 1536, 30522, 512, 0)
    free, reduced = (
        parse_encoder("7M", labels=150, vocabulary=800, max_length=32, source=source)
        for source in (None, teacher)
    )
    assert not teacher.reduces_to(free)
    assert teacher.reduces_to(reduced)
    assert reduced.parameters() == pytest.approx(7_000_000, rel=0.1)


def test_a_target_over_the_teacher_is_met_from_chance():
    """Where no shape could start from the teacher, the target counts."""
    teacher = EncoderShape(1, 64, 2, 256, 1000, 32, 2)
    shape = parse_encoder("7M", labels=2, vocabulary=5000, max_length=32, source=teacher)
    assert shape == parse_encoder("7M", labels=2, vocabulary=5000, max_length=32)


@pytest.mark.parametrize(
    "stage", ["", "2G", "layers=3", "layers=3,width=0", "layers=2,wide=64", "layers=2,width=65,heads=2", "1K"]
)
def test_what_cannot_be_built_is_refused_by_name(stage):
    """The error names the key and the text that was given."""
    with pytest.raises(ConfigError) as refused:
        parse_encoder(stage, labels=4, vocabulary=5000, max_length=32, smallest_vocabulary=500)
    assert refused.value.problems[0].key == "chain.stages"
    assert refused.value.problems[0].value == stage
