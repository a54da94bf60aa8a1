"""Where a stage's first weights come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer
from torch import nn

from coffey.distill.batches import tokenize
from coffey.students.encoder import Student
from coffey.students.family import AnyStudent, Shape, can_start_from, new_student
from coffey.students.initialization import initialize_from
from coffey.students.module import ModuleStudent
from coffey.students.reduction import Sample
from coffey.students.shape import EncoderShape
from coffey.students.static import StaticStudent
from coffey.students.static_initialization import initialize_static
from coffey.students.teacher_body import read_teacher
from coffey.students.vocabulary import match_vocabulary

SAMPLE = 256
"""Texts whose activations decide what to keep: some thousand tokens, for at most a thousand directions."""

_BATCH = 32


@dataclass(frozen=True, slots=True)
class Origin:
    """A trained student, or a teacher's encoder, to start from; or none."""

    name: str
    source: AnyStudent | None = None
    tokenizer: Tokenizer | None = None
    """The source's."""
    sample: Sequence[str] = ()
    same_task: bool = False
    """Whether the source's classifier answers the same question."""


SCRATCH = Origin("scratch")


def teacher_origin(
    encoder: nn.Module | None,
    tokenizer: Tokenizer | None,
    sample: Sequence[str],
    *,
    max_length: int,
    labels: int,
) -> Origin:
    """The teacher's body as an origin; scratch when there is none or it is not BERT-like."""
    if encoder is None or tokenizer is None:
        return SCRATCH
    body = read_teacher(encoder, max_length=max_length, labels=labels)
    return SCRATCH if body is None else Origin("teacher", body, tokenizer, sample)


def teacher_shape(encoder: nn.Module | None, *, max_length: int, labels: int) -> EncoderShape | None:
    """The shape of the teacher's body; None when there is none or it is not BERT-like."""
    body = None if encoder is None else read_teacher(encoder, max_length=max_length, labels=labels)
    return None if body is None else body.shape


def suits(origin: Origin, shape: Shape) -> bool:
    """Whether a student of this shape can start from the origin."""
    return origin.source is not None and can_start_from(origin.source, shape)


def first_student(
    shape: Shape, origin: Origin, tokenizer: Tokenizer, *, dropout: float, seed: int
) -> AnyStudent:
    """A student of `shape` with its first weights, on the CPU; the same for the same arguments.

    Args:
        shape: of the student.
        origin: what it starts from. From a student of the same shape and task all is taken over; from one
            that it cannot start from, nothing.
        tokenizer: the student's.
        dropout: while training.
        seed: of what comes from chance.
    """
    student = new_student(shape, dropout=dropout, seed=seed)
    if origin.source is None or origin.tokenizer is None:
        return student
    source = origin.source.cpu()
    if source.shape == shape and origin.same_task and origin.tokenizer.get_vocab() == tokenizer.get_vocab():
        student.load_state_dict(source.state_dict())
        return student
    old_ids = match_vocabulary(tokenizer, origin.tokenizer)
    if isinstance(student, Student) and isinstance(source, Student):
        initialize_from(
            student,
            source,
            old_ids=old_ids,
            sample=_sample(origin.tokenizer, origin.sample, source.shape.max_length),
            seed=seed,
            classifier=origin.same_task,
        )
    elif isinstance(student, StaticStudent) and not isinstance(source, ModuleStudent):
        initialize_static(
            student,
            source,
            old_ids=old_ids,
            tokenizer=origin.tokenizer,
            seed=seed,
        )
    return student


def _sample(tokenizer: Tokenizer, texts: Sequence[str], max_length: int) -> Sample:
    tokenized = tokenize(tokenizer, texts, max_length=max_length)
    order = np.argsort(tokenized.lengths, kind="stable")
    return [tokenized.pad(order[start : start + _BATCH]) for start in range(0, len(order), _BATCH)]
