"""Candidates, built untrained: speed and size do not depend on what has been learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from torch import nn

from coffey.bench.closed import time_closed
from coffey.bench.inputs import sample_texts
from coffey.bench.subject import texts_per_s
from coffey.core.progress import Progress
from coffey.core.settings import ExportSettings, Settings
from coffey.distill.batches import tokenize
from coffey.distill.chain import DROPOUT, plan_shapes
from coffey.distill.records import ChainRequest
from coffey.distill.vocabulary import find_words
from coffey.economics.probe_result import ServedProbe, StageProbe
from coffey.export.export import Variants
from coffey.export.single import export_single
from coffey.probe.options import ProbeOptions
from coffey.probe.served import probe_served
from coffey.probe.step import time_step
from coffey.students.family import AnyStudent, Shape, new_student

_TRAINED_ON = 4096
"""Texts that training batches are made of: many windows of similar length, as in training."""

_PARITY_TEXTS = 8
"""An untrained student's labels are near ties, so agreement says nothing; it only has to be recorded."""

_BATCHED_SHARE = 0.25
"""Of the time for each timing, for throughput in batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A stage with the shape and the tokenizer that training would give it."""

    name: str
    shape: Shape
    tokenizer: Tokenizer


def plan_candidates(
    texts: Sequence[str],
    *,
    labels: tuple[str, ...],
    tokenizer: Tokenizer | None,
    settings: Settings,
    progress: Progress,
    encoder: nn.Module | None = None,
) -> tuple[Candidate, ...]:
    """The shapes that a chain on `texts` would have: the chain's own planning, without answers.

    Args:
        texts: the transfer set; of a sample, vocabularies come out smaller.
        labels: names of the labels.
        tokenizer: the teacher's, or None.
        settings: stages and lengths.
        progress: hears when a tokenizer has to be trained.
        encoder: the teacher's body, which the first weights are to come from, or None.

    Raises:
        ConfigError: a stage's text cannot be read or met.
    """
    request = ChainRequest(
        texts=texts,
        keys=(),
        teacher=np.empty((0, len(labels)), dtype=np.float32),
        hard=None,
        validation=np.zeros(len(texts), dtype=bool),
        labels=labels,
        stages=settings.chain.stages,
        settings=settings.chain,
        folder=Path(),
        tokenizer=tokenizer,
        encoder=encoder,
    )
    words = find_words(request, progress)
    shapes = plan_shapes(request, words)
    return tuple(
        Candidate(name=name, shape=shape, tokenizer=words.tokenizer(shape.vocabulary))
        for name, shape in zip(settings.chain.stages, shapes, strict=True)
    )


def probe_student(
    candidate: Candidate,
    texts: Sequence[str],
    labels: tuple[str, ...],
    settings: Settings,
    options: ProbeOptions,
    *,
    folder: Path,
) -> StageProbe:
    """Build a candidate with random weights, export and time it, serve it, then time some optimizer steps.

    What ships is assumed to be int8 where `export.int8` asks for it: whether an untrained student's labels
    survive it says nothing.

    Args:
        candidate: what is built.
        texts: of the transfer set.
        labels: names of the labels.
        settings: of training, export and the latency promise.
        options: how much is measured.
        folder: scratch, for the exported graph, and the artifact that is served.

    Raises:
        NotReady: the server did not start.
        ServeError: the server could not be asked.
        ValueError: there are no texts.
    """
    student = new_student(candidate.shape, dropout=DROPOUT, seed=options.seed)
    drawn = sample_texts(texts, options.texts, seed=options.seed)
    variants = _export(student.eval(), candidate, labels, drawn, settings.export, folder)
    runtime = variants.runtime(threads=options.threads)
    alone = time_closed(
        runtime.predict,
        [[text] for text in drawn],
        subject=candidate.name,
        seconds=options.seconds,
        within=options.within,
    )
    return StageProbe(
        name=candidate.name,
        params=candidate.shape.parameters(),
        params_without_embeddings=candidate.shape.parameters_without_embeddings(),
        size_bytes=variants.chosen.bytes,
        variant=variants.chosen.name,
        p50_ms=alone.p50_ms,
        p99_ms=alone.p99_ms,
        texts_per_s=texts_per_s(runtime.predict, drawn, seconds=_BATCHED_SHARE * options.seconds),
        step_s=_step_s(student, candidate, texts, settings, options),
        step_batch_size=settings.chain.batch_size,
        served=_served(variants, drawn, settings, options, folder),
    )


def _step_s(
    student: AnyStudent,
    candidate: Candidate,
    texts: Sequence[str],
    settings: Settings,
    options: ProbeOptions,
) -> float:
    practice = tokenize(
        candidate.tokenizer,
        sample_texts(texts, _TRAINED_ON, seed=options.seed),
        max_length=candidate.shape.max_length,
    )
    return time_step(student, practice, settings.chain, seconds=options.seconds, within=options.within)


def _served(
    variants: Variants, texts: Sequence[str], settings: Settings, options: ProbeOptions, folder: Path
) -> ServedProbe | None:
    if not options.serve:
        return None
    promise = settings.budget.latency_p99_ms
    return probe_served(variants, texts, latency_p99_ms=promise, options=options, folder=folder)


def _export(
    student: AnyStudent,
    candidate: Candidate,
    labels: tuple[str, ...],
    texts: Sequence[str],
    settings: ExportSettings,
    folder: Path,
) -> Variants:
    return export_single(
        student,
        candidate.tokenizer,
        form="int8" if settings.int8 else "fused",
        labels=labels,
        max_length=candidate.shape.max_length,
        folder=folder,
        texts=texts[:_PARITY_TEXTS],
    )
