"""The families of students: one place that tells them apart, by a stage's text or by a shape.

Every student is a torch module `(input_ids, attention_mask) -> (logits, features)` with a `shape`; see
`Student.forward`. Every shape says its sizes, counts its parameters and can be written and read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coffey.students.encoder import Student
from coffey.students.initialization import initialize_from_scratch
from coffey.students.module import PREFIX as MODULE
from coffey.students.module import ModuleShape, ModuleStudent, parse_module
from coffey.students.shape import EncoderShape, parse_encoder
from coffey.students.static import StaticStudent
from coffey.students.static_initialization import initialize_static_from_scratch
from coffey.students.static_shape import PREFIX as STATIC
from coffey.students.static_shape import StaticShape, parse_static

Shape = EncoderShape | StaticShape | ModuleShape
AnyStudent = Student | StaticStudent | ModuleStudent

FULL_PACE_WIDTH = 64
"""Width up to which an encoder learns at the rate that is set; see `pace`."""

_SHAPES: dict[str, type[Shape]] = {"encoder": EncoderShape, "static": StaticShape, "module": ModuleShape}


def parse_stage(
    stage: str,
    *,
    labels: int,
    vocabulary: int,
    max_length: int,
    smallest_vocabulary: int = 0,
    source: EncoderShape | None = None,
) -> Shape:
    """The shape that a stage's text asks for; see `parse_encoder`, `parse_static` and `parse_module`.

    Args:
        stage: a parameter target or sizes of an encoder; `static:…`; `module=…`.
        labels: number of labels.
        vocabulary: tokens that are worth having.
        max_length: tokens that are read of a text.
        smallest_vocabulary: tokens that no student can do without.
        source: the teacher's encoder, where a student may start from it.

    Raises:
        ConfigError: the text cannot be read or met.

    >>> str(parse_stage("static:width=32", labels=3, vocabulary=1000, max_length=32))
    'static:width=32,vocabulary=1000'
    """
    if stage.strip().startswith(MODULE):
        return parse_module(stage, labels=labels, vocabulary=vocabulary, max_length=max_length)
    if stage.strip().startswith(STATIC):
        return parse_static(
            stage,
            labels=labels,
            vocabulary=vocabulary,
            max_length=max_length,
            smallest_vocabulary=smallest_vocabulary,
        )
    return parse_encoder(
        stage,
        labels=labels,
        vocabulary=vocabulary,
        max_length=max_length,
        smallest_vocabulary=smallest_vocabulary,
        source=source,
    )


def read_shape(values: Mapping[str, Any]) -> Shape:
    """The shape that `as_json` wrote; without a family it is an encoder's.

    Raises:
        LookupError: the family is not known.
        TypeError: the fields are not those of the family.
    """
    fields = dict(values)
    return _SHAPES[fields.pop("family", "encoder")](**fields)


def build_student(shape: Shape, *, dropout: float = 0.1) -> AnyStudent:
    """A student whose weights are about to be loaded.

    Raises:
        ConfigError: a user's module cannot be made.
    """
    if isinstance(shape, ModuleShape):
        return ModuleStudent(shape)
    return (
        StaticStudent(shape, dropout=dropout)
        if isinstance(shape, StaticShape)
        else Student(shape, dropout=dropout)
    )


def new_student(shape: Shape, *, dropout: float = 0.1, seed: int) -> AnyStudent:
    """A student with first weights from chance; of a user's module, with those that the module gives itself.

    Args:
        shape: its sizes.
        dropout: share of values dropped while training; a user's module sees to its own.
        seed: decides every weight.

    Raises:
        ConfigError: a user's module cannot be made.
    """
    if isinstance(shape, ModuleShape):
        return ModuleStudent(shape, seed=seed)
    student = build_student(shape, dropout=dropout)
    if isinstance(student, StaticStudent):
        initialize_static_from_scratch(student, seed=seed)
    elif isinstance(student, Student):
        initialize_from_scratch(student, seed=seed)
    return student


def pace(shape: Shape) -> float:
    """What the learning rate is multiplied with.

    64 / width for an encoder wider than 64: the step that Adam takes in a weight must shrink as 1 / width for
    the outputs to change as much (Yang et al. 2022, Tensor programs V, table 8). At one rate for
    every width, students lose what they have inherited from a wide teacher.

    2.5 for a static student: few of its vectors are in a batch, so each is corrected seldom. On TREC, 227K
    parameters, 20 epochs, accuracy was 0.738 at 2e-3, 0.788 at 5e-3 and 0.748 at 1e-2.
    """
    if isinstance(shape, EncoderShape):
        return min(1.0, FULL_PACE_WIDTH / shape.width)
    return 2.5 if isinstance(shape, StaticShape) else 1.0


def can_start_from(source: AnyStudent, shape: Shape) -> bool:
    """Whether a student of `shape` can take first weights from `source` by more than an exact copy."""
    if isinstance(shape, EncoderShape):
        return isinstance(source, Student) and source.shape.reduces_to(shape)
    return isinstance(shape, StaticShape) and not isinstance(source, ModuleStudent)
