"""Control arms of a chain: what the last student would be without stages, or without the teacher.

Equal compute means: the arm may spend as many training FLOPs as the whole chain spent (6 x parameters
outside the embeddings x tokens; Kaplan et al. 2020), in steps of the same batch size on the same texts.
Early stopping applies to it as to the stages, so it may end sooner; `StageResult.steps` says where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coffey.core.progress import Progress
from coffey.distill.chain import (
    check_request,
    configure,
    first_origin,
    make_lesson,
    pick_origin,
    slug,
    train_after,
)
from coffey.distill.journal import StageJournal
from coffey.distill.records import ChainRequest, ChainResult, StageResult
from coffey.distill.stage import Lesson, run_stage
from coffey.students.checkpoint import load_student
from coffey.students.shape import EncoderShape

DIRECT = "direct jump"
LABELS = "labels only"
ARGMAX_LABELS = "labels only (the teacher's)"
"""The name says so when hard labels are the teacher's own answers, because the data has none."""


def direct_jump(request: ChainRequest, result: ChainResult, *, progress: Progress) -> StageResult:
    """The last student of the chain taught by the root teacher alone, at the chain's compute.

    A chain of one stage is its own direct jump: nothing is trained.

    Raises:
        StageError: as `stage.run_stage`.
    """
    if len(result.stages) == 1:
        return result.final
    return shorter_route(request, result, 0, progress=progress)


def shorter_route(
    request: ChainRequest, result: ChainResult, kept: int, *, progress: Progress
) -> StageResult:
    """The last student with only the first `kept` stages before it, all together at the chain's compute.

    What the stages left out would have cost goes into more passes of the last student.

    Raises:
        StageError: as `stage.run_stage`.
    """
    check_request(request)
    before = result.teaching[:kept]
    name = route_name(result, kept)
    rows = int((~np.asarray(request.validation, dtype=bool)).sum())
    epochs = equal_epochs(result, rows, rows, result.final.epochs, before=before)
    return train_after(
        before,
        request,
        replace(configure(request, name, result.final.shape), epochs=epochs),
        load_student(result.final.folder).tokenizer,
        first_origin(request, progress),
        folder=request.folder / f"control-{slug(name)}",
        progress=progress,
    )


def route_name(result: ChainResult, kept: int) -> str:
    """What the route with only the first `kept` stages before the last student is called."""
    left_out = [stage.name for stage in result.teaching[kept:]]
    return f"without {' and '.join(left_out)}" if kept else DIRECT


def labels_only(request: ChainRequest, result: ChainResult, *, progress: Progress) -> StageResult:
    """The last student of the chain trained on hard labels alone, at the chain's compute.

    Where the data has no hard labels the teacher's answers stand in, and the name says so.
    Validation compares with the hard labels too: this arm never sees a distribution of the teacher.

    Raises:
        StageError: as `stage.run_stage`; `NothingToTrain` also when no example outside the validation
            split, or none inside it, has a label.
    """
    check_request(request)
    scoring = request.scoring
    lesson = make_lesson(request, load_student(result.final.folder).tokenizer, [request.teacher])
    lesson = replace(lesson, hard=request.hard_labels())  # this arm asks no teacher
    known = scoring.known(lesson.hard)
    if known.any():
        lesson = _only(lesson, known)
        name, hard = LABELS, lesson.hard
    else:
        name, hard = ARGMAX_LABELS, scoring.answers(request.teacher).astype(np.int64)
    certain = scoring.certain(hard, len(request.labels))
    lesson = replace(lesson, hard=hard, target=certain, judge=certain)
    return _labels_arm(request, result, lesson, name, progress)


def equal_epochs(
    result: ChainResult,
    chain_rows: int,
    arm_rows: int,
    epochs: float,
    *,
    before: Sequence[StageResult] = (),
) -> float:
    """Passes over `arm_rows` examples that cost what the chain cost, less what stages `before` the arm cost.

    Every stage reads the same texts, so tokens are proportional to examples read; the student answers of a
    stage (a forward pass, a third of a training pass) are counted where the next stage used them.

    Args:
        result: the chain.
        chain_rows: examples the chain trained on.
        arm_rows: examples the arm trains on.
        epochs: the least that is given, so that a chain of one stage compares with itself.
        before: stages that the arm keeps.
    """
    last = _working(result.final)
    taught = {name for stage in result.stages for name in stage.taught_by}
    cost = sum(
        (stage.epochs + (stage.name in taught) / 3) * _working(stage)
        for stage in result.stages
        if stage not in before
    )
    return max(epochs, cost / last * chain_rows / arm_rows)


def _working(stage: StageResult) -> int:
    """Parameters that stand for a stage's training time: those that every token is multiplied with.

    Of an encoder those outside its embeddings. Of any other student all: a static one multiplies next to
    nothing, and its steps are spent in the optimizer's pass over the whole table; a user's module may be no
    more than a table.
    """
    return stage.params_without_embeddings if isinstance(stage.shape, EncoderShape) else stage.params


def _only(lesson: Lesson, rows: np.ndarray) -> Lesson:
    chosen = np.flatnonzero(rows)
    return replace(
        lesson,
        texts=[lesson.texts[row] for row in chosen],
        keys=[lesson.keys[row] for row in chosen],
        target=lesson.target[chosen],
        judge=lesson.judge[chosen],
        hard=lesson.hard[chosen],
        validation=lesson.validation[chosen],
    )


def _labels_arm(
    request: ChainRequest, result: ChainResult, lesson: Lesson, name: str, progress: Progress
) -> StageResult:
    chain_rows = int((~np.asarray(request.validation, dtype=bool)).sum())
    arm_rows = max(1, int((~lesson.validation).sum()))
    config = replace(
        configure(request, name, result.final.shape, ("labels",)),
        epochs=equal_epochs(result, chain_rows, arm_rows, result.final.epochs),
        hard_weight=1.0,
        temperature=1.0,
    )
    return run_stage(
        config,
        lesson,
        pick_origin(request, result.final.shape, name, progress),
        folder=request.folder / f"control-{slug(name)}",
        journal=StageJournal(request.folder / "journal"),
        progress=progress,
    )
