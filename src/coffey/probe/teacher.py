"""The teacher, asked a sample: how fast, how dear, and how sure of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coffey.artifact.manifest import MODEL
from coffey.artifact.predictor import Predictor
from coffey.artifact.read import Artifact, open_artifact
from coffey.artifact.runtime import Runtime
from coffey.artifact.signing import Trust
from coffey.bench.closed import time_closed
from coffey.bench.inputs import sample_texts
from coffey.bench.subject import Subject, closed_latency, time_in_turns
from coffey.core.clock import Clock, monotonic
from coffey.core.errors import CoffeyError, ProbeFailed
from coffey.core.settings import TeacherSettings
from coffey.economics.probe_result import TeacherProbe
from coffey.export.rough import quantize_roughly
from coffey.export.teacher import Shelf, keep_teacher
from coffey.probe.options import ProbeOptions
from coffey.teacher.answers import scoring_of_teacher
from coffey.teacher.asking import sizes_of
from coffey.teacher.budget import Meter, Price
from coffey.teacher.protocol import ExportableTeacher, Teacher

_FEWEST_BATCHES = 3
"""Timed, however slow the teacher is: a batch of one length says little about the others."""

_WARM_UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    texts: list[str]
    answers: npt.NDArray[np.float32]
    """The teacher's probabilities of each."""
    seconds: float
    usd_per_1k: float | None


@dataclass(frozen=True, slots=True)
class _Alone:
    p50_ms: float
    p99_ms: float
    int8_speedup: float | None


def probe_teacher(
    teacher: Teacher,
    texts: Sequence[str],
    settings: TeacherSettings,
    options: ProbeOptions,
    *,
    shelf: Shelf,
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
        shelf: where its export is kept, or found.
        folder: scratch, for its int8 graph; made when absent.
        clock: seconds.

    Raises:
        TeacherUnavailable: it does not answer.
        ProbeFailed: its network cannot be exported.
        ConfigError: `teacher.cost` states more than one price.
        ValueError: there are no texts.
    """
    drawn = sample_texts(texts, options.texts, seed=options.seed)
    asked = _ask_in_batches(teacher, drawn, settings, options, clock)
    alone = _alone(teacher, drawn, shelf, options, folder, clock)
    return TeacherProbe(
        texts=len(asked.texts),
        p50_ms=alone.p50_ms,
        p99_ms=alone.p99_ms,
        texts_per_s=len(asked.texts) / asked.seconds,
        batch_size=settings.batch_size,
        self_agreement=asked_again(teacher, asked.texts[: options.again], asked.answers[: options.again]),
        usd_per_1k=asked.usd_per_1k,
        params=teacher.params,
        int8_speedup=alone.int8_speedup,
    )


def asked_again(teacher: Teacher, texts: Sequence[str], answers: npt.NDArray[np.floating]) -> float:
    """Agreement of the answers of before (`answers` [n, labels]) with those to the same texts asked again."""
    scoring = scoring_of_teacher(teacher.header)
    second = teacher.predict(texts[::-1])[::-1]
    return float(scoring.score(scoring.answers(answers), scoring.answers(second)).mean())


def _ask_in_batches(
    teacher: Teacher, texts: list[str], settings: TeacherSettings, options: ProbeOptions, clock: Clock
) -> _Asked:
    """Batches of similar length, as labelling makes them, in random order, until texts or time run out."""
    size = settings.batch_size
    ordered = [texts[place] for place in np.argsort(sizes_of(teacher, texts), kind="stable")]
    batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    meter = Meter(Price.from_settings(settings.cost), teacher)
    teacher.predict(batches[0])
    asked, said, spent = list[str](), list[npt.NDArray[np.float32]](), 0.0
    for place in np.random.default_rng(options.seed).permutation(len(batches)):
        start = clock()
        answers = teacher.predict(batches[place])
        seconds = clock() - start
        meter.charge(batches[place], seconds)
        asked, spent = asked + batches[place], spent + seconds
        said.append(answers)
        if spent >= options.seconds and len(said) >= _FEWEST_BATCHES:
            break
    return _Asked(
        texts=asked,
        answers=np.concatenate(said),
        seconds=spent,
        usd_per_1k=None if meter.usd is None else meter.usd / len(asked) * 1000,
    )


def _alone(
    teacher: Teacher, texts: list[str], shelf: Shelf, options: ProbeOptions, folder: Path, clock: Clock
) -> _Alone:
    """One text at a time: the exported network where there is one, as fp32 and as int8 in turns."""
    network = _network(teacher, texts, shelf) if options.int8_teacher else None
    if network is None:
        found = time_closed(
            teacher.predict,
            [[text] for text in texts],
            subject="teacher",
            warmup=_WARM_UP,
            seconds=options.seconds,
            within=options.within,
            clock=clock,
        )
        return _Alone(found.p50_ms, found.p99_ms, None)
    subjects = [
        Subject(name="fp32", call=Predictor(network, threads=options.threads).predict),
        Subject(name="int8", call=_int8(network, options, folder).predict),
    ]
    rounds = time_in_turns(subjects, texts, seconds=options.seconds)
    full = rounds["fp32"]
    p99_ms = closed_latency("fp32", full).p99_ms
    return _Alone(full.p50_ms, p99_ms, full.p50_ms / rounds["int8"].p50_ms)


def _network(teacher: Teacher, texts: Sequence[str], shelf: Shelf) -> Artifact | None:
    """The teacher's exported network; None when it cannot be taken out."""
    if not isinstance(teacher, ExportableTeacher):
        return None
    try:
        return open_artifact(keep_teacher(teacher, texts, shelf), trust=Trust.of_signer(shelf.signer))
    except CoffeyError as exc:
        raise ProbeFailed("the teacher's exported network", str(exc)) from exc


def _int8(network: Artifact, options: ProbeOptions, folder: Path) -> Runtime:
    """The network with int8 products."""
    folder.mkdir(parents=True, exist_ok=True)
    small = folder / "int8.onnx"
    quantize_roughly(network.path / MODEL, small)
    return Runtime(
        model=small.read_bytes(),
        tokenizer=network.tokenizer,
        labels=network.labels,
        max_length=network.manifest.max_length,
        threads=options.threads,
    )
