"""A pilot: candidates trained on small, growing subsets, to foresee their quality before all is paid for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt

from coffey.core.errors import EmptyData
from coffey.core.progress import Progress, Silent
from coffey.distill.records import ChainRequest
from coffey.economics.pilot_result import PilotPoint, PilotResult
from coffey.economics.quality_forecast import Measure, Prior, QualityForecast, Reached
from coffey.probe.disagreement import Measured, disagreement
from coffey.probe.lost_and_won import JudgedOn, LostAndWon, lost_and_won
from coffey.probe.pilot_forecast import best_law, foresee
from coffey.probe.pilot_rows import PilotOptions, PilotRows, choose_rows
from coffey.probe.pilot_training import PilotCandidate, PilotSetup, Trained, plan_pilot, train, training_steps
from coffey.stats.intervals import paired_ratio, wilson

Ask = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Texts to the teacher's probabilities [texts, labels]; through the label store: none is paid twice."""

Steps = Callable[[int], float]
"""Optimizer steps of a training on so many rows."""

_TASK = "pilot"


def run_pilot(
    request: ChainRequest,
    ask: Ask,
    *,
    options: PilotOptions | None = None,
    history: Sequence[Reached] = (),
    holdout: JudgedOn | None = None,
    progress: Progress | None = None,
) -> tuple[PilotResult, ...]:
    """Train every stage of `request` alone, from the teacher, on growing nested subsets; foresee the rest.

    Each training is a stage of the one training loop, with the settings, shape, vocabulary and first weights
    that the direct jump at full data would have. Quality is measured on rows of the transfer set that it did
    not see. Finished trainings are kept in `request.folder` under a name made of all that decides them, and a
    training that was killed goes on from its checkpoint; so the same call ends with the same result, whoever
    interrupted it. Trainings go from the smallest subset to the largest over all candidates, until
    `options.seconds` of training are used up, kept ones included; every candidate gets at least the smallest.

    Args:
        request: the whole transfer set, with the candidates as `stages`. `teacher` is not read.
        ask: asked once, for the pilot's rows.
        options: how much is trained and measured.
        history: reconciled forecasts of earlier runs.
        holdout: what the gate will measure on, so that intervals hold its sampling error, and retention is
            foreseen for a teacher as good as it is there.
        progress: hears about each training.

    Returns:
        One result a stage, in the order of the stages.

    Raises:
        EmptyData: too few rows, or answers that do not fit them.
        StageError: a candidate cannot be trained with these settings.
        ConfigError: a stage's text cannot be read or met.
        StoreUnavailable: the folder cannot be used.
    """
    chosen, told = options or PilotOptions(), progress or Silent()
    fewest, seed = request.settings.batch_size, request.settings.seed
    rows = choose_rows(request.keys, request.validation, options=chosen, fewest=fewest, seed=seed)
    steps = partial(
        training_steps,
        full=rows.full,
        batch_size=request.settings.batch_size,
        epochs=chosen.epochs or request.settings.epochs,
    )
    sizes = affordable(rows.sizes, rows.full, steps)
    if len(sizes) < len(rows.sizes):
        told.say(_shortened(rows.sizes, sizes))
    rows = replace(rows, sizes=sizes)
    candidates = plan_pilot(request, told)
    setup = PilotSetup(_own_rows(request, rows, ask, chosen), rows, request.folder, told)
    trained = _train_all(candidates, setup, steps, chosen.seconds)
    return tuple(
        _result(candidate, done, setup, history, holdout)
        for candidate, done in zip(candidates, trained, strict=True)
    )


def affordable(sizes: Sequence[int], full: int, steps: Steps) -> tuple[int, ...]:
    """The largest of the subsets that make, together, no more steps than one training on all rows.

    Two are kept whatever they cost: one training says nothing about how the error falls.

    >>> affordable((100, 200, 400, 800), 3200, lambda rows: max(rows, 600))
    (100, 200, 400, 800)
    >>> affordable((100, 200, 400, 800), 3200, lambda rows: max(rows, 1500))
    (400, 800)
    """
    for first in range(len(sizes)):
        kept = tuple(sizes[first:])
        if len(kept) <= 2 or sum(steps(size) for size in kept) <= steps(full):
            return kept
    return ()


def _shortened(sizes: Sequence[int], kept: Sequence[int]) -> str:
    return (
        f"The pilot is shortened from {len(sizes)} trainings a candidate to {len(kept)}: on so few rows all "
        "of them would cost more than the run itself, and fewer leave a wider interval."
    )


def _own_rows(request: ChainRequest, rows: PilotRows, ask: Ask, options: PilotOptions) -> ChainRequest:
    asked = rows.asked
    texts = [request.texts[row] for row in asked]
    answers = np.asarray(ask(texts), dtype=np.float32)
    if answers.shape != (len(asked), len(request.labels)):
        raise EmptyData(
            "transfer set",
            f"the teacher's answers have shape {answers.shape}, expected {(len(asked), len(request.labels))}",
        )
    epochs = options.epochs or request.settings.epochs
    return replace(
        request,
        texts=texts,
        keys=[request.keys[row] for row in asked],
        teacher=answers,
        hard=request.hard_labels()[asked],
        validation=np.isin(asked, rows.stopping),
        settings=replace(request.settings, epochs=epochs),
    )


def _train_all(
    candidates: Sequence[PilotCandidate], setup: PilotSetup, steps: Steps, seconds: float | None
) -> list[list[Trained]]:
    done: list[list[Trained]] = [[] for _ in candidates]
    setup.progress.start(_TASK, len(candidates) * len(setup.rows.sizes), "training")
    for size, (candidate, earlier) in product(setup.rows.sizes, zip(candidates, done, strict=True)):
        if earlier and seconds is not None and _used(done) + _expected(earlier, size, steps) > seconds:
            continue
        earlier.append(train(candidate, size, setup))
        setup.progress.advance(_TASK, note=f"{candidate.name} on {size} rows")
    setup.progress.finish(_TASK)
    return done


def _used(done: Sequence[Sequence[Trained]]) -> float:
    return sum(one.seconds for trained in done for one in trained)


def _expected(earlier: Sequence[Trained], size: int, steps: Steps) -> float:
    """Seconds of a training on `size` rows: as many more as it makes steps than the last one."""
    return earlier[-1].seconds * steps(size) / steps(earlier[-1].rows)


def _result(
    candidate: PilotCandidate,
    done: Sequence[Trained],
    setup: PilotSetup,
    history: Sequence[Reached],
    holdout: JudgedOn | None,
) -> PilotResult:
    rows = [one.rows for one in done]
    students = np.stack([one.labels for one in done])
    teacher = setup.request.teacher[setup.measured].argmax(axis=1)
    hard = setup.request.hard_labels()[setup.measured]
    note = f"{len(rows)} trainings on {rows[0]:,} to {rows[-1]:,} rows, taught by the teacher alone"
    if setup.short_of_steps:
        note += "; the full training is so short that it may end below this: raise chain.epochs"

    differed = disagreement(rows, students, teacher)
    split = lost_and_won(rows, students, teacher, hard)

    def forecast(measure: Measure, measured: Measured | LostAndWon) -> QualityForecast:
        prior = Prior.of(measure, history)
        said = f"{note}; corrected by {len(prior.runs)} earlier forecasts" if prior.runs else note
        return foresee(measured, rows=setup.rows.full, prior=prior, holdout=holdout, note=said)

    return PilotResult(
        name=candidate.name,
        shape=str(candidate.shape),
        params=candidate.shape.parameters(),
        points=tuple(_point(one, teacher, hard) for one in done),
        agreement=forecast("agreement", differed),
        retention=None if split is None else forecast("retention", split),
        law=best_law(differed),
        seconds=sum(one.seconds for one in done),
        asked=len(setup.rows.asked),
        complete=len(rows) == len(setup.rows.sizes),
    )


def _point(trained: Trained, teacher: npt.NDArray[np.int64], hard: npt.NDArray[np.int64]) -> PilotPoint:
    agreed = trained.labels == teacher
    known = hard >= 0
    right, reference = (trained.labels == hard)[known], (teacher == hard)[known]
    labelled = bool(known.any())
    return PilotPoint(
        rows=trained.rows,
        measured=len(teacher),
        agreement=wilson(int(agreed.sum()), len(teacher)),
        accuracy=wilson(int(right.sum()), len(right)) if labelled else None,
        retention=paired_ratio(right, reference, seed=0) if labelled else None,
        seconds=trained.seconds,
    )
