"""Candidates have the shape that training would give them, and cost what they cost here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coffey.core.progress import Silent
from coffey.core.settings import Settings
from coffey.distill.batches import tokenize
from coffey.distill.chain import plan_shapes
from coffey.distill.records import ChainRequest
from coffey.distill.vocabulary import find_words
from coffey.probe.options import ProbeOptions
from coffey.probe.step import time_step
from coffey.probe.student import plan_candidates, probe_student
from coffey.students.encoder import Student


def test_candidates_are_what_a_chain_would_train(
    texts: list[str], settings: Settings, network_teacher: Any, tmp_path: Path
) -> None:
    """The shapes equal those of a request with the teacher's answers."""
    candidates = plan_candidates(
        texts,
        labels=network_teacher.labels,
        tokenizer=network_teacher.tokenizer(),
        encoder=network_teacher.encoder(),
        settings=settings,
        progress=Silent(),
    )
    request = ChainRequest(
        texts=texts, keys=["k"] * len(texts), teacher=network_teacher.predict(texts), hard=None,
        validation=np.arange(len(texts)) < 20, labels=network_teacher.labels, stages=settings.chain.stages,
        settings=settings.chain, folder=tmp_path, tokenizer=network_teacher.tokenizer(),
        encoder=network_teacher.encoder(),
    )  # fmt: skip
    shapes = plan_shapes(request, find_words(request, Silent()))
    assert tuple(candidate.shape for candidate in candidates) == shapes
    assert [one.tokenizer.get_vocab_size() for one in candidates] == [shape.vocabulary for shape in shapes]


def test_a_larger_candidate_is_slower_in_every_way(
    texts: list[str], settings: Settings, options: ProbeOptions, network_teacher: Any, tmp_path: Path
) -> None:
    """More layers and width: more bytes, longer answers, longer steps, measured on real exports."""
    candidates = plan_candidates(
        texts,
        labels=network_teacher.labels,
        tokenizer=network_teacher.tokenizer(),
        settings=settings,
        progress=Silent(),
    )
    large, small = (
        probe_student(one, texts, network_teacher.labels, settings, options, folder=tmp_path / one.name)
        for one in candidates
    )
    assert large.params > small.params > small.params_without_embeddings
    assert large.size_bytes > small.size_bytes
    assert large.p50_ms > small.p50_ms
    assert large.step_s > small.step_s
    assert large.texts_per_s < small.texts_per_s
    assert small.step_batch_size == settings.chain.batch_size
    assert small.variant == "int8"
    assert small.served is None, "these options serve nothing"


def test_steps_end_when_their_mean_is_known(
    texts: list[str], settings: Settings, network_teacher: Any
) -> None:
    """Steps that all take a second are known after twelve; without `within` the time is used up."""
    candidate = plan_candidates(
        texts,
        labels=network_teacher.labels,
        tokenizer=network_teacher.tokenizer(),
        settings=settings,
        progress=Silent(),
    )[1]
    practice = tokenize(candidate.tokenizer, texts, max_length=candidate.shape.max_length)

    def clock_reads(within: float | None) -> int:
        ticks = iter(float(second) for second in range(10_000))
        time_step(
            Student(candidate.shape), practice, settings.chain, seconds=20, within=within,
            clock=lambda: next(ticks),
        )  # fmt: skip
        return int(next(ticks))

    before, evaluation = 1, 2
    assert clock_reads(0.02) == before + 12 + evaluation
    assert clock_reads(None) == before + 20 + evaluation


def test_a_step_is_a_real_one(texts: list[str], settings: Settings, network_teacher: Any) -> None:
    """The weights move; the time is the whole over the steps, and an evaluation's share.

    The clock moves a second whenever it is read, which is once a step. An evaluation answers 8 x 0.1 / 0.9
    texts a step, each a 175th of a second.
    """
    candidate = plan_candidates(
        texts,
        labels=network_teacher.labels,
        tokenizer=network_teacher.tokenizer(),
        settings=settings,
        progress=Silent(),
    )[1]
    student = Student(candidate.shape)
    before = student.classifier.weight.detach().clone()
    ticks = iter(float(second) for second in range(10_000))
    seconds = time_step(
        student,
        tokenize(candidate.tokenizer, texts, max_length=candidate.shape.max_length),
        settings.chain,
        seconds=4,
        clock=lambda: next(ticks),
    )
    assert not np.allclose(before.numpy(), student.classifier.weight.detach().numpy())
    assert seconds == pytest.approx(1 + 8 / 9 / 175)
