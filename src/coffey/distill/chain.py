"""The chain: stage after stage, each student taught by the teacher, by the students before it, or by all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from coffey.core.errors import EmptyData
from coffey.core.ids import digest_json
from coffey.core.progress import Progress
from coffey.distill.answers import cached_answers
from coffey.distill.batches import tokenize
from coffey.distill.hard_labels import trusted_labels
from coffey.distill.journal import StageJournal
from coffey.distill.loss import mean_independent, mean_teacher
from coffey.distill.origin import SAMPLE, SCRATCH, Origin, suits, teacher_origin, teacher_shape
from coffey.distill.records import ChainRequest, ChainResult, StageResult
from coffey.distill.stage import Lesson, StageConfig, digest_weights, run_stage
from coffey.distill.vocabulary import Words, find_words
from coffey.students.checkpoint import SavedStudent, load_student
from coffey.students.family import Shape, pace, parse_stage
from coffey.students.module import ModuleShape

DROPOUT = 0.1
"""As in BERT."""

ROOT = "teacher"
"""What the root teacher is called in `taught_by`."""

CHAMPION = "champion"
"""What the student that a re-distillation starts from is called."""


def run_chain(request: ChainRequest, *, progress: Progress) -> ChainResult:
    """Train the stages of a request, one after the other; finished ones are kept from an earlier run.

    Stage i learns from the root teacher (guidance `root`), from the student of stage i - 1 (`previous`), or
    from the mean of the root teacher and all students before it (`dense`; compare Son et al. 2021, densely
    guided knowledge distillation). The first stage always learns from the root teacher. A stage that was
    given up as hopeless teaches nobody and hands on no weights.

    Raises:
        EmptyData: the transfer set is empty or the arrays do not have one row a text.
        StageError: see `stage.run_stage`.
        ConfigError: a stage's text cannot be read or met.
        StoreUnavailable: the folder cannot be used.
    """
    check_request(request)
    if request.start is not None:
        return ChainResult((_redistill(request, progress),))
    words = find_words(request, progress)
    shapes = plan_shapes(request, words)
    names = _names(request.stages)
    first = first_origin(request, progress)
    if request.features is None and request.settings.wants_features:
        progress.say("The teacher shows no features: its answers alone are transferred.")
    done: list[StageResult] = []
    for index, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        done.append(
            train_after(
                [stage for stage in done if not stage.hopeless],
                request,
                configure(request, name, shape),
                words.tokenizer(shape.vocabulary),
                first,
                folder=request.folder / f"{index + 1}-{slug(name)}",
                progress=progress,
            )
        )
    return ChainResult(tuple(done))


def train_after(
    before: Sequence[StageResult],
    request: ChainRequest,
    config: StageConfig,
    tokenizer: Tokenizer,
    first: Origin,
    *,
    folder: Path,
    progress: Progress,
) -> StageResult:
    """Train the student that comes after the stages `before`: they teach it and hand on their weights.

    Args:
        before: the stages before it, the largest first; without any it learns from the root teacher.
        request: data and guidance.
        config: the student; who teaches it is filled in here.
        tokenizer: the student's.
        first: where the first stage of the chain started from.
        folder: of this stage.
        progress: hears every step.

    Raises:
        StageError: see `stage.run_stage`.
    """
    teachers = guiding(request.settings.guidance, len(before))
    answers = [
        request.teacher
        if teacher == 0
        else _student_answers(
            request, load_student(before[teacher - 1].folder), before[teacher - 1].folder.parent
        )
        for teacher in teachers
    ]
    names = [ROOT, *(stage.name for stage in before)]
    origin = _student_origin(request, before[-1]) if before and first is not SCRATCH else first
    return run_stage(
        replace(config, taught_by=tuple(names[teacher] for teacher in teachers)),
        make_lesson(request, tokenizer, answers, features=find_features(request)),
        _fitting((origin, first), config.shape, progress, config.name),
        folder=folder,
        journal=StageJournal(request.folder / "journal"),
        progress=progress,
    )


def guiding(guidance: str, index: int) -> tuple[int, ...]:
    """Who teaches stage `index` (from 0): 0 is the root teacher, i the student of stage i - 1.

    >>> guiding("dense", 2), guiding("previous", 2), guiding("root", 2)
    ((0, 1, 2), (2,), (0,))
    """
    if guidance == "dense":
        return tuple(range(index + 1))
    return (index,) if guidance == "previous" else (0,)


def check_request(request: ChainRequest) -> None:
    """Refuse arrays that do not have one row a text.

    Raises:
        EmptyData: there is no text, or the shapes do not fit.
    """
    rows, labels = len(request.texts), len(request.labels)
    if not rows:
        raise EmptyData("transfer set", "it has no example left after cleaning")
    if request.teacher.shape != (rows, labels):
        raise EmptyData(
            "transfer set",
            f"the teacher's answers have shape {request.teacher.shape}, expected {(rows, labels)}",
        )
    for name, size in (
        ("keys", len(request.keys)),
        ("validation mask", len(request.validation)),
        ("hard labels", rows if request.hard is None else len(request.hard)),
        ("held rows", rows if request.start_teaches is None else len(request.start_teaches)),
    ):
        if size != rows:
            raise EmptyData("transfer set", f"{size} {name} for {rows} texts")


def plan_shapes(request: ChainRequest, words: Words) -> tuple[Shape, ...]:
    """The shapes of the request's stages, with the vocabulary that these texts can fill.

    A target of parameters gets a shape that the teacher's encoder can be reduced to, where there is one.
    """
    source = teacher_shape(
        request.encoder if request.settings.initialize == "teacher" else None,
        max_length=request.settings.max_length,
        labels=len(request.labels),
    )
    shapes = []
    for stage in request.stages:
        shape = (
            parse_stage(
                stage,
                labels=len(request.labels),
                vocabulary=words.useful,
                max_length=request.settings.max_length,
                smallest_vocabulary=words.fallback,
                source=source,
            )
            if isinstance(stage, str)
            else stage
        )
        tokens = words.tokenizer(shape.vocabulary).get_vocab_size()
        shapes.append(replace(shape, vocabulary=tokens, labels=len(request.labels)))
    return tuple(shapes)


def configure(
    request: ChainRequest, name: str, shape: Shape, taught_by: tuple[str, ...] = (ROOT,)
) -> StageConfig:
    """A stage's configuration from the request's settings."""
    settings = request.settings
    return StageConfig(
        name=name,
        shape=shape,
        taught_by=taught_by,
        dropout=DROPOUT,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate * pace(shape),
        warmup=settings.warmup,
        temperature=settings.temperature,
        hard_weight=settings.hard_weight,
        hint_weight=settings.hint_weight,
        relation_weight=settings.relation_weight,
        patience=settings.patience,
        seed=settings.seed,
        threads=settings.threads,
        checkpoint_seconds=settings.checkpoint_seconds,
    )


def make_lesson(
    request: ChainRequest,
    tokenizer: Tokenizer,
    answers: Sequence[np.ndarray],
    *,
    features: np.ndarray | None = None,
) -> Lesson:
    """The request's data as a lesson: the mean of `answers` as target, no hard labels that are doubtful.

    `features` are the teacher's, where they are used.
    """
    return Lesson(
        texts=list(request.texts),
        keys=list(request.keys),
        labels=request.labels,
        tokenizer=tokenizer,
        target=_mean(request, answers),
        judge=request.teacher,
        hard=trusted_labels(request.teacher, request.hard_labels(), request.scoring),
        validation=np.asarray(request.validation, dtype=bool),
        features=features,
        scoring=request.scoring,
    )


def _mean(request: ChainRequest, answers: Sequence[np.ndarray]) -> np.ndarray:
    return (mean_independent if request.scoring.independent else mean_teacher)(answers)


def find_features(request: ChainRequest) -> np.ndarray | None:
    """The root teacher's features, float16 [texts, width]; None where they are not wanted or not to be had.

    Raises:
        TeacherError, StoreError: they cannot be read.
    """
    if request.features is None or not request.settings.wants_features:
        return None
    return request.features(request.texts)


def sample_texts(request: ChainRequest) -> list[str]:
    """Some texts outside the validation split, spread over the transfer set."""
    rows = np.flatnonzero(~np.asarray(request.validation, dtype=bool))
    chosen = np.random.default_rng(request.settings.seed).permutation(rows)[:SAMPLE]
    return [request.texts[row] for row in chosen]


def pick_origin(request: ChainRequest, shape: Shape, name: str, progress: Progress) -> Origin:
    """Where a student that no stage precedes starts from: the teacher where its shape allows, else chance."""
    return _fitting((first_origin(request, progress),), shape, progress, name)


def first_origin(request: ChainRequest, progress: Progress) -> Origin:
    """Where the first stage of a chain starts from: the teacher's encoder, or chance."""
    if request.settings.initialize == "scratch":
        return SCRATCH
    origin = teacher_origin(
        request.encoder,
        request.tokenizer,
        sample_texts(request),
        max_length=request.settings.max_length,
        labels=len(request.labels),
    )
    if origin is SCRATCH:
        progress.say("The teacher's encoder is not BERT-like: the first weights come from chance.")
    return origin


def _fitting(origins: Sequence[Origin], shape: Shape, progress: Progress, name: str) -> Origin:
    for origin in origins:
        if suits(origin, shape):
            return origin
    if isinstance(shape, ModuleShape):
        return SCRATCH
    if origins[-1] is not SCRATCH:
        progress.say(f"{name} is larger than what it could start from: its first weights come from chance.")
    return SCRATCH


def _student_origin(request: ChainRequest, result: StageResult) -> Origin:
    saved = load_student(result.folder)
    return Origin(result.name, saved.student, saved.tokenizer, sample_texts(request), same_task=True)


def _student_answers(request: ChainRequest, saved: SavedStudent, folder: Path) -> np.ndarray:
    """A student's answers to all texts, kept in `folder`: a run that is resumed learns from the same."""
    asked = digest_json([digest_weights(saved.student.state_dict()), list(request.keys)])
    return cached_answers(
        folder / f"answers-{asked[:16]}.npy",
        saved.student,
        lambda: tokenize(saved.tokenizer, request.texts, max_length=saved.student.shape.max_length),
        request.scoring,
    )


def _redistill(request: ChainRequest, progress: Progress) -> StageResult:
    """One stage from the champion: its shape, its tokenizer, its weights.

    The root teacher teaches all of it. Where `start_teaches` says so, and unless guidance is `root`, the
    champion's own answers are mixed in, which keeps what it was right about (Li and Hoiem 2017, learning
    without forgetting).
    """
    assert request.start is not None
    saved = load_student(request.start)
    labels = saved.labels == request.labels
    shape = replace(saved.student.shape, labels=len(request.labels))
    origin = Origin(CHAMPION, saved.student, saved.tokenizer, sample_texts(request), same_task=labels)
    held = request.start_teaches
    guided = labels and held is not None and held.any() and request.settings.guidance != "root"
    lesson = make_lesson(request, saved.tokenizer, [request.teacher])
    if guided:
        lesson = replace(lesson, target=_held_target(request, saved))
    return run_stage(
        configure(request, "redistilled", shape, (ROOT, CHAMPION) if guided else (ROOT,)),
        lesson,
        origin,
        folder=request.folder / "1-redistilled",
        journal=StageJournal(request.folder / "journal"),
        progress=progress,
    )


def _held_target(request: ChainRequest, champion: SavedStudent) -> np.ndarray:
    """The root teacher's answers; where the champion teaches too, the mean of both."""
    assert request.start_teaches is not None
    said = _student_answers(request, champion, request.folder)
    both = _mean(request, [request.teacher, said])
    held: np.ndarray = np.where(request.start_teaches[:, None], both, request.teacher)
    return held


def _names(stages: Sequence[Shape | str]) -> tuple[str, ...]:
    names: list[str] = []
    for stage in stages:
        name = str(stage).strip()
        names.append(f"{name} ({len(names) + 1})" if name in names else name)
    return tuple(names)


def slug(name: str) -> str:
    """A stage's name as part of a folder's."""
    return "".join(character if character.isalnum() else "-" for character in name).strip("-")
