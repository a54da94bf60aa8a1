"""The teacher, asked a sample: how fast, how dear, and how sure of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coffey.bench.closed import time_closed
from coffey.bench.inputs import sample_texts
from coffey.core.clock import Clock, monotonic
from coffey.core.errors import CoffeyError, ProbeFailed
from coffey.core.records import Latency
from coffey.core.settings import ExportSettings, TeacherSettings
from coffey.economics.probe_result import TeacherProbe
from coffey.export.export import Variants, export_student
from coffey.probe.options import ProbeOptions
from coffey.teacher.budget import Meter, Price
from coffey.teacher.protocol import ExportableTeacher, Teacher

SERVED = "fused"
"""The form in which a teacher is benched: fp32, with ONNX Runtime's fused operators."""


_PARITY_TEXTS = 48
"""Texts that the exported teacher is compared on: enough to see a wrong graph, few enough to pay for."""


@dataclass(frozen=True, slots=True)
class _Asked:
    texts: int
    seconds: float
    usd_per_1k: float | None


def probe_teacher(
    teacher: Teacher,
    texts: Sequence[str],
    settings: TeacherSettings,
    options: ProbeOptions,
    *,
    folder: Path,
    clock: Clock = monotonic,
) -> TeacherProbe:
    """Ask `teacher` some of `texts`, alone and in batches, and some of them twice.

    Its latency is that of its network on the runtime that serves, where it can be taken out; else that of
    `predict`. Its speed in batches is always that of `predict`, which is what labelling calls.

    Args:
        teacher: what is asked.
        texts: of the transfer set.
        settings: batch size and price.
        options: how much is asked.
        folder: scratch, for exported graphs.
        clock: seconds.

    Raises:
        TeacherUnavailable: it does not answer.
        ProbeFailed: its network cannot be exported.
        ConfigError: `teacher.cost` states more than one price.
        ValueError: there are no texts.
    """
    drawn = sample_texts(texts, options.texts, seed=options.seed)
    asked = _ask_in_batches(teacher, drawn, settings, options, clock)
    exported = _export(teacher, drawn[:_PARITY_TEXTS], folder) if options.int8_teacher else None
    alone = _alone(_answering(teacher, exported, options), drawn, options, clock)
    return TeacherProbe(
        texts=asked.texts,
        p50_ms=alone.p50_ms,
        p99_ms=alone.p99_ms,
        texts_per_s=asked.texts / asked.seconds,
        batch_size=settings.batch_size,
        self_agreement=self_agreement(teacher, drawn[: options.again]),
        usd_per_1k=asked.usd_per_1k,
        params=teacher.params,
        int8_speedup=_speedup(exported),
    )


def self_agreement(teacher: Teacher, texts: Sequence[str]) -> float:
    """Share of `texts` with the same label when they are asked again in another order."""
    order = np.arange(len(texts))[::-1]
    first = teacher.predict(list(texts)).argmax(axis=1)
    second = teacher.predict([texts[place] for place in order]).argmax(axis=1)
    return float((first[order] == second).mean())


def _ask_in_batches(
    teacher: Teacher, texts: list[str], settings: TeacherSettings, options: ProbeOptions, clock: Clock
) -> _Asked:
    """Batches of similar length, as labelling makes them, in random order, until texts or time run out."""
    size = settings.batch_size
    ordered = sorted(texts, key=len)
    batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    meter = Meter(Price.from_settings(settings.cost), teacher)
    teacher.predict(batches[0])
    asked, spent = 0, 0.0
    for place in np.random.default_rng(options.seed).permutation(len(batches)):
        start = clock()
        teacher.predict(batches[place])
        seconds = clock() - start
        meter.charge(batches[place], seconds)
        asked, spent = asked + len(batches[place]), spent + seconds
        if spent >= options.seconds:
            break
    return _Asked(asked, spent, None if meter.usd is None else meter.usd / asked * 1000)


def _export(teacher: Teacher, texts: Sequence[str], folder: Path) -> Variants | None:
    if not isinstance(teacher, ExportableTeacher):
        return None
    try:
        return export_student(
            teacher.module(),
            teacher.tokenizer(),
            labels=teacher.labels,
            max_length=teacher.max_length,
            folder=folder,
            holdout_texts=texts,
            settings=replace(ExportSettings(), int8=True),
        )
    except CoffeyError as exc:
        raise ProbeFailed("the teacher's exported network", str(exc)) from exc


def _answering(
    teacher: Teacher, exported: Variants | None, options: ProbeOptions
) -> Callable[[list[str]], object]:
    if exported is None:
        return teacher.predict
    return exported.runtime(SERVED, threads=options.threads).predict


def _alone(
    answer: Callable[[list[str]], object], texts: Sequence[str], options: ProbeOptions, clock: Clock
) -> Latency:
    singles = [[text] for text in texts]
    return time_closed(answer, singles, subject="teacher", warmup=3, seconds=options.seconds, clock=clock)


def _speedup(exported: Variants | None) -> float | None:
    if exported is None:
        return None
    return exported.named(SERVED).p50_ms / exported.named("int8").p50_ms
