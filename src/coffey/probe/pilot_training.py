"""The trainings of a pilot: a stage on a subset, its answers on the measured rows, and both kept on disk."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from coffey.core.errors import StoreUnavailable
from coffey.core.files import write_atomic
from coffey.core.ids import digest_bytes, digest_json
from coffey.core.progress import Progress
from coffey.distill.answers import answer
from coffey.distill.batches import tokenize
from coffey.distill.chain import ROOT, configure, find_features, make_lesson, plan_shapes, sample_texts
from coffey.distill.device import accelerator
from coffey.distill.journal import StageJournal
from coffey.distill.origin import SCRATCH, Origin, suits, teacher_origin
from coffey.distill.records import ChainRequest, StageResult
from coffey.distill.stage import MOST_EVALUATIONS, Lesson, StageConfig, digest_weights, run_stage
from coffey.distill.vocabulary import find_words
from coffey.probe.pilot_rows import PilotRows
from coffey.students.checkpoint import load_student
from coffey.students.family import Shape

_LEAST_STEPS = 1000
"""Optimizer steps of a training, at least, unless the full training makes fewer: a student that was stopped
while it still learned the task says nothing about what more rows would teach it. With steps in proportion to
the rows, students of 150 labels were foreseen 6 to 9 points too low."""

_FEW_STEPS = 200
"""Below it a full training may learn less than its rows could teach."""

_FORMAT = 1
"""Raised when a kept point changes its meaning; older ones are then trained anew."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One finished training."""

    rows: int
    seconds: float
    labels: npt.NDArray[np.int64]
    """Of the measured rows."""


@dataclass(frozen=True, slots=True)
class PilotCandidate:
    """A stage with all that a direct jump to it at full data would have."""

    name: str
    shape: Shape
    tokenizer: Tokenizer
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class PilotSetup:
    """What all trainings of a pilot share."""

    request: ChainRequest
    """Cut to the pilot's rows, in the order of `rows.asked`."""
    rows: PilotRows
    folder: Path
    progress: Progress

    @property
    def measured(self) -> slice:
        """Places of the measured rows among the pilot's."""
        return slice(len(self.rows.asked) - len(self.rows.measured), None)

    @property
    def short_of_steps(self) -> bool:
        """Whether the full training makes too few steps to learn what its rows could teach it."""
        full, settings = self.rows.full, self.request.settings
        steps = training_steps(full, full, batch_size=settings.batch_size, epochs=settings.epochs)
        return steps < _FEW_STEPS


def plan_pilot(request: ChainRequest, progress: Progress) -> tuple[PilotCandidate, ...]:
    """Shapes, vocabularies and first weights of the request's stages, from all of its texts.

    Raises:
        ConfigError: a stage's text cannot be read or met.
    """
    words = find_words(request, progress)
    origin = _first_weights(request)
    return tuple(
        PilotCandidate(
            name=str(stage).strip(),
            shape=shape,
            tokenizer=words.tokenizer(shape.vocabulary),
            origin=origin if suits(origin, shape) else SCRATCH,
        )
        for stage, shape in zip(request.stages, plan_shapes(request, words), strict=True)
    )


def _first_weights(request: ChainRequest) -> Origin:
    if request.settings.initialize == "scratch":
        return SCRATCH
    return teacher_origin(
        request.encoder,
        request.tokenizer,
        sample_texts(request),
        max_length=request.settings.max_length,
        labels=len(request.labels),
    )


def train(candidate: PilotCandidate, size: int, setup: PilotSetup) -> Trained:
    """One training and its answers, or those that an earlier pilot kept.

    Args:
        candidate: what is trained.
        size: rows of the subset.
        setup: of the pilot.

    Raises:
        StageError: see `stage.run_stage`.
        StoreUnavailable: the folder cannot be used, or what it holds is damaged.
    """
    lesson = _lesson(candidate, size, setup)
    config = configure(setup.request, f"{candidate.name} on {size} rows", candidate.shape, (ROOT,))
    config = _long_enough(config, size, setup.rows.full)
    folder = setup.folder / _name(config, lesson, candidate.origin, setup.request.keys[setup.measured])
    point = folder / "point.json"
    if point.exists():
        return _read(point)
    result = run_stage(
        config,
        lesson,
        candidate.origin,
        folder=folder / "stage",
        journal=StageJournal(folder / "journal"),
        progress=setup.progress,
    )
    trained = Trained(size, result.seconds, _labels(result, setup.request.texts[setup.measured]))
    _write(point, trained)
    shutil.rmtree(folder / "stage", ignore_errors=True)
    return trained


def training_steps(size: int, full: int, *, batch_size: int, epochs: float) -> float:
    """Optimizer steps on `size` of `full` rows, where the full training makes `epochs` passes.

    >>> [training_steps(size, 32_000, batch_size=32, epochs=4) for size in (800, 16_000, 32_000)]
    [1000, 2000, 4000]
    """
    an_epoch, whole = (math.ceil(rows / batch_size) for rows in (size, full))
    return min(max(epochs * an_epoch, _LEAST_STEPS), epochs * whole)


def _long_enough(config: StageConfig, size: int, full: int) -> StageConfig:
    """More passes over a subset too small for `_LEAST_STEPS`, and patience for the same share of them."""
    steps = training_steps(size, full, batch_size=config.batch_size, epochs=config.epochs)
    epochs = steps / math.ceil(size / config.batch_size)
    evaluations = min(epochs, MOST_EVALUATIONS) / min(config.epochs, MOST_EVALUATIONS)
    return replace(config, epochs=epochs, patience=math.ceil(config.patience * max(1.0, evaluations)))


def _lesson(candidate: PilotCandidate, size: int, setup: PilotSetup) -> Lesson:
    """The first `size` rows and those that choose the best weights."""
    request, largest = setup.request, len(setup.rows.trained)
    places = [*range(size), *range(largest, largest + len(setup.rows.stopping))]
    part = replace(
        request,
        texts=[request.texts[place] for place in places],
        keys=[request.keys[place] for place in places],
        teacher=request.teacher[places],
        hard=request.hard_labels()[places],
        validation=request.validation[places],
    )
    return make_lesson(part, candidate.tokenizer, [part.teacher], features=find_features(part))


def _name(config: StageConfig, lesson: Lesson, origin: Origin, measured: Sequence[str]) -> str:
    """Names a training by everything that decides its answers."""
    decides = [
        _FORMAT,
        config.decisive(),
        lesson.keys,
        lesson.labels,
        digest_bytes(np.ascontiguousarray(lesson.target).tobytes()),
        lesson.hard.tolist(),
        lesson.validation.tolist(),
        digest_bytes(lesson.tokenizer.to_str().encode()),
        None if origin.source is None else digest_weights(origin.source.state_dict()),
        list(measured),
    ]
    return digest_json(decides)[:16]


def _labels(result: StageResult, texts: Sequence[str]) -> npt.NDArray[np.int64]:
    saved = load_student(result.folder)
    tokenized = tokenize(saved.tokenizer, texts, max_length=result.shape.max_length)
    student = saved.student.to(accelerator().device)
    labels: npt.NDArray[np.int64] = answer(student, tokenized, np.arange(len(texts))).argmax(axis=1)
    return labels


def _write(path: Path, trained: Trained) -> None:
    said = {"rows": trained.rows, "seconds": trained.seconds, "labels": trained.labels.tolist()}
    write_atomic(path, json.dumps(said).encode())


def _read(path: Path) -> Trained:
    try:
        said = json.loads(path.read_bytes())
        return Trained(said["rows"], said["seconds"], np.asarray(said["labels"], dtype=np.int64))
    except (OSError, ValueError, KeyError) as exc:
        raise StoreUnavailable(str(path), f"{exc}; remove the file and run again") from exc
