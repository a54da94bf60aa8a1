"""`distill`: label what is missing, train the chain, compare, export, gate, register a challenger."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coffey.artifact.manifest import Lineage, StageEntry, content_digest
from coffey.bench.machine import describe_machine
from coffey.control.candidate import Candidate, Making, keep_reference, make_candidate, promise, register
from coffey.core.clock import monotonic, utc_now
from coffey.core.ids import digest_json
from coffey.core.progress import Progress
from coffey.core.records import Quality
from coffey.core.settings import ChainSettings
from coffey.distill.chain import run_chain
from coffey.distill.controls import DIRECT, direct_jump, labels_only
from coffey.distill.hard_labels import describe_doubtful
from coffey.distill.proof import Proof, hold_rows, prove_chain
from coffey.distill.records import ChainRequest, ChainResult, StageResult
from coffey.export.gate import GateResult, gate
from coffey.export.package import Holdout
from coffey.project.augmenting import augment_data
from coffey.project.candidates import Chain, choose_chain, is_auto, with_stages
from coffey.project.comparing import Contender, compare_with_controls, summarize
from coffey.project.distill_result import (
    Controls,
    DistillResult,
    ProofSummary,
    StudentSummary,
    TeacherSummary,
)
from coffey.project.labelling import Labelled, label_data
from coffey.project.notes import seen_by_teacher, weak_proof
from coffey.project.reporting import kept_result
from coffey.project.transfer import ProjectData, read_data
from coffey.project.workspace import Workspace
from coffey.stats.scoring import ONE_LABEL, Answers, Scores, Scoring, fit_threshold, scoring_of, threshold_of
from coffey.students.module import stage_code
from coffey.teacher.protocol import ExportableTeacher

WHO = "distill"

CHAIN = "chain"
"""What the route with all stages is called."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """The data with the teacher's answers, as the stages take it."""

    data: ProjectData
    labelled: Labelled
    hard: npt.NDArray[np.int64]
    """[transfer], -1 where it is not known; sets [transfer, labels] in a multi-label task."""
    holdout: Holdout
    scoring: Scoring


def prepare(space: Workspace, progress: Progress | None = None, *, augmented: bool = True) -> Lesson:
    """Read and clean the data, ask the teacher for what is missing; nothing is asked about unusable data.

    Args:
        space: the project.
        progress: hears about reading and asking; the project's own when absent.
        augmented: whether `data.augment` applies.

    Raises:
        DataError, TeacherError, StoreError: see those.
    """
    progress = progress or space.progress
    read = read_data(space.settings, progress)
    if augmented:
        read = augment_data(space.settings, read)
    labels, many = space.teacher.labels, space.settings.task.many_labels
    for split in (read.transfer, read.holdout):
        split.indices(labels, many=many)  # refused before anything is paid for
    features = space.feature_keeper(len(read.transfer.texts), progress)
    labelled = label_data(space.settings, read, space.teacher, space.labels, progress, features=features)
    data = labelled.data
    hard = data.holdout.indices(labels, many=many) if data.holdout.labelled() else None
    holdout = Holdout(list(data.holdout.texts), labelled.holdout, hard)
    transfer = data.transfer.indices(labels, many=many)
    return Lesson(data, labelled, transfer, holdout, _scoring(space, labelled.transfer, transfer))


def _scoring(space: Workspace, teacher: npt.NDArray[np.floating], hard: npt.NDArray[np.int64]) -> Scoring:
    """The task's, with the threshold that is set, or that suits the transfer set's hard labels."""
    task = space.settings.task
    if not task.many_labels:
        return ONE_LABEL
    return scoring_of(task.kind, task.threshold or fit_threshold(teacher, hard))


def distill(space: Workspace, *, compare: bool) -> DistillResult:
    """From data to a registered challenger; what an earlier run finished is not done again.

    Raises:
        StageError, ArtifactError, DataError, TeacherError, StoreError: see those.
    """
    began = monotonic()
    if is_auto(space.settings):
        chosen = _chosen(space)
        space.progress.say(f"Stages: {', '.join(chosen.stages)} ({chosen.why}).")
    lesson = prepare(space)
    folder = space.store / "stages" / run_id(space, lesson)
    request = chain_request(space, lesson, folder)
    is_proven = request.settings.prove and len(request.stages) > 1
    request, held = hold_rows(request) if is_proven else (request, None)
    chain = run_chain(request, progress=space.progress)
    proof = prove_chain(request, chain, held, progress=space.progress) if held else None
    arms = _train_arms(request, chain, space) if compare else None
    stages = (*proof.before, proof.shipped) if proof else chain.stages  # the last one ships
    candidate = _package(space, lesson, stages, folder)
    quality = candidate.manifest.quality
    passed = gate(quality, space.settings.budget)
    challenger = register_passed(space, candidate, stages[-1].folder, passed, lesson)
    teacher, scoring = space.teacher, lesson.scoring
    return DistillResult(
        teacher=_teacher(space, quality),
        student=student_summary(candidate, challenger),
        stages=tuple(summarize(stage, lesson.holdout, teacher.labels, scoring) for stage in chain.stages),
        controls=_controls(arms, chain, stages[-1], lesson, teacher.labels) if arms else None,
        gate=passed,
        artifact=str(candidate.path),
        challenger=challenger,
        labelling=lesson.labelled.result,
        doubtful=describe_doubtful(
            lesson.labelled.transfer,
            lesson.hard,
            texts=lesson.data.transfer.texts,
            labels=teacher.labels,
            scoring=scoring,
        ),
        params_ratio=teacher.params / candidate.manifest.params if teacher.params else None,
        seconds=monotonic() - began,
        machine=describe_machine(),
        proof=_proof(proof, chain, lesson, teacher.labels) if proof else None,
        notes=_notes(space, lesson, proof),
    )


def run_id(space: Workspace, lesson: Lesson) -> str:
    """Names a run by everything that decides its outcome: data, teacher, chain, threshold, own code."""
    chain = _chain(space)
    decided = {name: getattr(chain, name) for name in chain.__slots__ if name != "checkpoint_seconds"}
    task = [threshold_of(lesson.scoring)] if lesson.scoring.independent else []
    code = [digest for stage in chain.stages if (digest := stage_code(stage))]
    return digest_json([lesson.data.digest(), space.teacher.fingerprint, decided, *task, *code])[:16]


def _chain(space: Workspace) -> ChainSettings:
    """The settings of the chain, with the plan's stages in the place of "auto"."""
    return with_stages(space.settings, _chosen(space).stages).chain


def _chosen(space: Workspace) -> Chain:
    return choose_chain(space.settings, kept_result(space, "plan"), teacher_params=space.teacher.params)


def chain_request(space: Workspace, lesson: Lesson, folder: Path) -> ChainRequest:
    """What `run_chain` is asked for, from the project's settings."""
    chain, teacher = _chain(space), space.teacher
    data = lesson.data
    settings = replace(chain, epochs=chain.epochs * data.real_share)
    exportable = teacher if isinstance(teacher, ExportableTeacher) else None
    return ChainRequest(
        texts=data.transfer.texts,
        keys=data.transfer.keys,
        teacher=lesson.labelled.transfer,
        hard=lesson.hard,
        validation=data.validation(share=chain.validation, seed=chain.seed),
        labels=teacher.labels,
        stages=chain.stages,
        settings=settings,
        folder=folder,
        scoring=lesson.scoring,
        tokenizer=exportable.tokenizer() if exportable else None,
        encoder=exportable.encoder() if exportable else None,
        features=space.feature_reader(spent_usd=lesson.labelled.result.usd or 0.0),
    )


def _package(space: Workspace, lesson: Lesson, stages: Sequence[StageResult], folder: Path) -> Candidate:
    making = making_of(space, lesson, stages)
    return make_candidate(stages[-1], making, folder=folder / "export", progress=space.progress)


def making_of(space: Workspace, lesson: Lesson, stages: Sequence[StageResult]) -> Making:
    """What the last of `stages` is packaged with; those before it are its lineage."""
    teacher = space.teacher
    lineage = Lineage(
        teacher=teacher.fingerprint,
        teacher_source=teacher.source,
        teacher_params=teacher.params,
        label_digest=lesson.labelled.result.digest,
        created=utc_now(),
        stages=tuple(
            StageEntry(
                name=stage.name,
                params=stage.params,
                taught_by=stage.taught_by,
                validation_agreement=stage.validation_agreement,
            )
            for stage in stages
        ),
    )
    return Making(
        project=space.settings.project.name,
        store=space.store,
        signer=space.signer,
        holdout=lesson.holdout,
        lineage=lineage,
        export=space.settings.export,
        scoring=lesson.scoring,
    )


def register_passed(
    space: Workspace, candidate: Candidate, student: Path, passed: GateResult, lesson: Lesson, who: str = WHO
) -> str | None:
    """Register a candidate that passed the gate as challenger: its name; None when the gate refused.

    `student` is the folder of its checkpoint, in the store.
    """
    if not passed.passed:
        return None
    quality = candidate.manifest.quality
    version = register(
        candidate,
        registry=space.registry,
        store=space.store,
        student=student,
        contract=promise(quality.agreement, quality.examples, "holdout", space.settings.monitor),
        who=who,
        evidence={"gate": passed.reason},
    )
    keep_reference(candidate, lesson.holdout, store=space.store, trust=space.trust)
    return version.name


def _train_arms(
    request: ChainRequest, chain: ChainResult, space: Workspace
) -> tuple[StageResult, StageResult]:
    return (
        direct_jump(request, chain, progress=space.progress),
        labels_only(request, chain, progress=space.progress),
    )


def _teacher(space: Workspace, quality: Quality) -> TeacherSummary:
    teacher = space.teacher
    return TeacherSummary(
        name="/".join(Path(teacher.source).parts[-2:]),
        source=teacher.source,
        kind=space.settings.teacher.kind,
        params=teacher.params,
        fingerprint=teacher.fingerprint,
        accuracy=quality.teacher_accuracy,
        measure=quality.measure,
    )


def student_summary(candidate: Candidate, name: str | None) -> StudentSummary:
    """What is said of a candidate; `name` is the one it is registered by, if it is."""
    manifest = candidate.manifest
    quality = manifest.quality
    return StudentSummary(
        name=name or f"{manifest.name}-{candidate.digest[:8]}",
        digest=candidate.digest,
        params=manifest.params,
        params_without_embeddings=manifest.params_without_embeddings,
        bytes=manifest.files["model.onnx"].bytes,
        variant=manifest.quantization.variant,
        content=content_digest(manifest),
        agreement=quality.agreement,
        accuracy=quality.accuracy,
        retention=quality.retention,
        measure=quality.measure,
        threshold=manifest.threshold,
    )


def _controls(
    arms: tuple[StageResult, StageResult],
    chain: ChainResult,
    ships: StageResult,
    lesson: Lesson,
    labels: Sequence[str],
) -> Controls:
    direct, hard = (summarize(arm, lesson.holdout, labels, lesson.scoring) for arm in arms)
    whole = Contender(CHAIN, chain.final)
    shipped = whole if ships == chain.final else Contender(_route(ships), ships)
    found = compare_with_controls(arms, shipped, whole, lesson.holdout, lesson.scoring)
    return Controls(direct, hard, found)


def _proof(proof: Proof, chain: ChainResult, lesson: Lesson, labels: Sequence[str]) -> ProofSummary:
    kept = all(decision.kept for decision in proof.decisions)
    return ProofSummary(
        decisions=proof.decisions,
        routes=tuple(summarize(route, lesson.holdout, labels, lesson.scoring) for route in proof.routes),
        shipped=CHAIN if proof.shipped == chain.final else _route(proof.shipped),
        advice=None if kept else advice(proof, chain, real_share=lesson.data.real_share),
    )


def _notes(space: Workspace, lesson: Lesson, proof: Proof | None) -> tuple[str, ...]:
    holdout = lesson.holdout
    found = [weak_proof(proof.decisions, space.settings.monitor.max_drop)] if proof else []
    if holdout.hard_labels is not None and not lesson.data.made:
        learned = _teacher_scores(lesson.labelled.transfer, lesson.hard, lesson.scoring)
        held = _teacher_scores(holdout.teacher_probabilities, np.asarray(holdout.hard_labels), lesson.scoring)
        found.append(seen_by_teacher(learned, held))
    return tuple(note for note in found if note)


def _teacher_scores(said: npt.NDArray[np.floating], truth: Answers, scoring: Scoring) -> Scores:
    """How right the teacher is about the rows whose labels are known."""
    return scoring.score(scoring.answers(said), truth)[scoring.known(truth)]


def _route(ships: StageResult) -> str:
    return ships.name if ships.name == DIRECT else f"{CHAIN} {ships.name}"


def advice(proof: Proof, chain: ChainResult, *, real_share: float) -> str:
    """What to write in coffey.toml so that the next run trains only what earned its place."""
    stages = json.dumps([*(stage.name for stage in proof.before), chain.final.name])
    passes = "" if proof.before else f" and chain.epochs = {math.ceil(proof.shipped.epochs / real_share)}"
    return f"Next time: chain.stages = {stages}{passes} in coffey.toml."
