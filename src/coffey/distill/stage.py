"""One stage: first weights, training, and the student's folder, as a function of its configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from torch import Tensor

from coffey.core.errors import StageError
from coffey.core.ids import digest_bytes, digest_json
from coffey.core.progress import Progress
from coffey.distill.batches import Tokenized, tokenize
from coffey.distill.checkpoint import Position
from coffey.distill.device import seeded
from coffey.distill.features import normalized
from coffey.distill.journal import StageJournal
from coffey.distill.loop import Material, Plan, train
from coffey.distill.origin import Origin, first_student
from coffey.distill.records import StageResult
from coffey.stats.scoring import ONE_LABEL, Scoring, threshold_of
from coffey.students.checkpoint import save_student
from coffey.students.family import Shape, read_shape

_MOST_STEPS_BETWEEN_EVALUATIONS = 500

MOST_EVALUATIONS = 30
"""Of a stage, about."""

_EVALUATING = 0.04
"""Most of the training time that is spent on evaluating: of ten a hundred, an evaluation an epoch or so."""

_FORWARD = 1 / 3
"""A forward pass as a share of a training step (Kaplan et al. 2020)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """Everything about a stage that is not data."""

    name: str
    shape: Shape
    taught_by: tuple[str, ...]
    dropout: float
    epochs: float
    batch_size: int
    learning_rate: float
    warmup: float
    temperature: float
    hard_weight: float
    hint_weight: float
    relation_weight: float
    patience: int
    seed: int
    threads: int | None
    checkpoint_seconds: float

    def decisive(self) -> dict[str, object]:
        """The fields that decide the result: all but threads and the time between checkpoints."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in ("threads", "checkpoint_seconds")
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """The data of a stage; see `loop.Material` for the arrays."""

    texts: list[str]
    keys: list[str]
    labels: tuple[str, ...]
    tokenizer: Tokenizer
    target: np.ndarray
    judge: np.ndarray
    hard: np.ndarray
    validation: np.ndarray
    """bool [texts]."""
    features: np.ndarray | None = None
    scoring: Scoring = ONE_LABEL


def run_stage(
    config: StageConfig,
    lesson: Lesson,
    origin: Origin,
    *,
    folder: Path,
    journal: StageJournal,
    progress: Progress,
) -> StageResult:
    """Train one student, or hand back the one that an earlier run has finished.

    Args:
        config: sizes and learning.
        lesson: texts and what to say to them.
        origin: where the first weights come from.
        folder: of this stage.
        journal: of the run.
        progress: hears every step.

    Raises:
        StageInputsChanged: an earlier run began this stage with other inputs.
        NothingToTrain: no rows, no steps or no validation rows.
        StageDiverged: training failed.
        StoreUnavailable: the folder cannot be used.
    """
    inputs = _digests(config, lesson, origin)
    begun = folder.exists()
    finished = journal.begin(config.name, inputs)
    if finished is not None and finished.result is not None:
        progress.say(f"{config.name}: finished at {finished.at}, kept")
        return _from_json(finished.result, folder)
    texts = tokenize(lesson.tokenizer, lesson.texts, max_length=config.shape.max_length)
    material = _material(lesson, texts)
    plan = _plan(config, len(material.train), len(material.validation))
    with seeded(config.seed, config.threads):
        student = first_student(
            config.shape, origin, lesson.tokenizer, dropout=config.dropout, seed=config.seed
        )
    checkpoint = folder / "checkpoint.pt"
    try:
        position = train(student, material, plan, checkpoint=checkpoint, progress=progress)
    except StageError:
        checkpoint.unlink(missing_ok=True)
        journal.fail(config.name, inputs)
        raise
    save_student(folder / "student", student.cpu(), lesson.tokenizer, lesson.labels)
    result = _result(config, origin, position, plan, len(material.train), folder, begun)
    if result.hopeless:
        progress.say(f"{config.name} was given up: {result.hopeless}.")
    journal.finish(config.name, inputs, _to_json(result))
    checkpoint.unlink(missing_ok=True)
    return result


def digest_weights(weights: Mapping[str, Tensor]) -> str:
    """A digest of named tensors: their names, shapes and bits."""
    parts = [
        f"{name}:{tuple(value.shape)}:{digest_bytes(value.detach().cpu().contiguous().numpy().tobytes())}"
        for name, value in sorted(weights.items())
    ]
    return digest_bytes("\n".join(parts).encode())


def _digests(config: StageConfig, lesson: Lesson, origin: Origin) -> dict[str, str]:
    """What a resumed stage must find unchanged.

    Of features the shape alone: read by the teacher again, they differ by noise, and everything that decides
    them (texts, answers) is here already.
    """
    scoring = lesson.scoring
    task = [scoring.kind, threshold_of(scoring)]
    return ({"task": digest_json(task)} if scoring.independent else {}) | {
        "settings": digest_json(config.decisive()),
        "texts": digest_json(lesson.keys),
        "labels": digest_json(lesson.labels),
        "teachers' answers": digest_bytes(np.ascontiguousarray(lesson.target).tobytes()),
        "root teacher's answers": digest_bytes(np.ascontiguousarray(lesson.judge).tobytes()),
        "hard labels": digest_bytes(lesson.hard.tobytes()),
        "teacher's features": "" if lesson.features is None else str(lesson.features.shape),
        "validation split": digest_bytes(lesson.validation.tobytes()),
        "tokenizer": digest_bytes(lesson.tokenizer.to_str().encode()),
        "first weights": "" if origin.source is None else digest_weights(origin.source.state_dict()),
    }


def _material(lesson: Lesson, texts: Tokenized) -> Material:
    rows = np.flatnonzero(~lesson.validation)
    return Material(
        texts=texts,
        target=lesson.target,
        judge=lesson.judge,
        hard=lesson.hard,
        train=rows,
        validation=np.flatnonzero(lesson.validation),
        features=None if lesson.features is None else normalized(lesson.features, rows),
        scoring=lesson.scoring,
    )


def _plan(config: StageConfig, rows: int, judged: int) -> Plan:
    steps = round(config.epochs * math.ceil(rows / config.batch_size))
    evaluation = _FORWARD * judged / config.batch_size
    between = math.ceil(max(evaluation / _EVALUATING, steps / MOST_EVALUATIONS))
    return Plan(
        name=config.name,
        steps=steps,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        temperature=config.temperature,
        hard_weight=config.hard_weight,
        hint_weight=config.hint_weight,
        relation_weight=config.relation_weight,
        patience=config.patience,
        evaluate_every=max(1, min(between, _MOST_STEPS_BETWEEN_EVALUATIONS)),
        checkpoint_seconds=config.checkpoint_seconds,
        seed=config.seed,
        threads=config.threads,
    )


def _result(
    config: StageConfig, origin: Origin, position: Position, plan: Plan, rows: int, folder: Path, begun: bool
) -> StageResult:
    return StageResult(
        name=config.name,
        folder=folder / "student",
        shape=config.shape,
        params=config.shape.parameters(),
        params_without_embeddings=config.shape.parameters_without_embeddings(),
        taught_by=config.taught_by,
        initialized=origin.name,
        steps=position.step,
        epochs=position.step / math.ceil(rows / plan.batch_size),
        tokens=position.tokens,
        seconds=position.seconds,
        validation_agreement=position.best_agreement,
        validation_loss=position.best_loss,
        hopeless=position.hopeless,
        resumed=begun,
    )


def _to_json(result: StageResult) -> dict[str, Any]:
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    return values | {"folder": result.folder.name, "shape": result.shape.as_json()}


def _from_json(values: Mapping[str, Any], folder: Path) -> StageResult:
    shape = read_shape(values["shape"])
    known = dict(values) | {
        "folder": folder / values["folder"],
        "shape": shape,
        "taught_by": tuple(values["taught_by"]),
    }
    return replace(StageResult(**known), resumed=True)
