"""Where a stage's first weights come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer
from torch import nn

from coffey.distill.batches import tokenize
from coffey.students.encoder import Student
from coffey.students.initialization import can_reduce, initialize_from, initialize_from_scratch
from coffey.students.reduction import Sample
from coffey.students.shape import EncoderShape
from coffey.students.teacher_body import read_teacher
from coffey.students.vocabulary import match_vocabulary

SAMPLE = 256
"""Texts whose activations decide what to keep: some thousand tokens, for at most a thousand directions."""

_BATCH = 32


@dataclass(frozen=True, slots=True)
class Origin:
    """A trained encoder to start from, or none."""

    name: str
    source: Student | None = None
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


def suits(origin: Origin, shape: EncoderShape) -> bool:
    """Whether a student of this shape can start from the origin."""
    return origin.source is not None and can_reduce(origin.source.shape, shape)


def first_student(
    shape: EncoderShape, origin: Origin, tokenizer: Tokenizer, *, dropout: float, seed: int
) -> Student:
    """A student of `shape` with its first weights, on the CPU; the same for the same arguments."""
    student = Student(shape, dropout=dropout)
    if origin.source is None or origin.tokenizer is None:
        initialize_from_scratch(student, seed=seed)
        return student
    source = origin.source.cpu()
    if source.shape == shape and origin.same_task and origin.tokenizer.get_vocab() == tokenizer.get_vocab():
        student.load_state_dict(source.state_dict())
        return student
    initialize_from(
        student,
        source,
        old_ids=match_vocabulary(tokenizer, origin.tokenizer),
        sample=_sample(origin.tokenizer, origin.sample, source.shape.max_length),
        seed=seed,
        classifier=origin.same_task,
    )
    return student


def _sample(tokenizer: Tokenizer, texts: Sequence[str], max_length: int) -> Sample:
    tokenized = tokenize(tokenizer, texts, max_length=max_length)
    order = np.argsort(tokenized.lengths, kind="stable")
    return [tokenized.pad(order[start : start + _BATCH]) for start in range(0, len(order), _BATCH)]
