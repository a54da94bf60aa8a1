"""`distill`: label what is missing, train the chain, compare, export, gate, register a challenger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coffey.artifact.encoding import TextEncoder
from coffey.artifact.manifest import Lineage, StageEntry
from coffey.bench.machine import describe_machine
from coffey.control.candidate import Candidate, Making, keep_reference, make_candidate, promise, register
from coffey.core.clock import monotonic, utc_now
from coffey.core.ids import digest_json
from coffey.core.progress import Progress
from coffey.core.records import Interval, Machine, Quality
from coffey.core.settings import ChainSettings
from coffey.distill.chain import run_chain
from coffey.distill.controls import direct_jump, labels_only
from coffey.distill.hard_labels import DoubtfulLabels, describe_doubtful
from coffey.distill.records import ChainRequest, ChainResult, StageResult
from coffey.export.gate import GateResult, gate
from coffey.export.package import Holdout
from coffey.export.parity import torch_probabilities
from coffey.export.quality import measure_quality
from coffey.project.augmenting import augment_data
from coffey.project.candidates import Chain, choose_chain, is_auto, with_stages
from coffey.project.labelling import Labelled, LabelResult, label_data
from coffey.project.reporting import kept_result
from coffey.project.transfer import ProjectData, read_data
from coffey.project.workspace import Workspace
from coffey.stats.intervals import paired_difference
from coffey.students.checkpoint import load_student
from coffey.teacher.protocol import ExportableTeacher

WHO = "distill"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSummary:
    """One trained student; its quality is the torch module's on the holdout."""

    name: str
    shape: str
    params: int
    params_without_embeddings: int
    taught_by: tuple[str, ...]
    initialized: str
    steps: int
    epochs: float
    seconds: float
    flops: float
    validation_agreement: float
    quality: Quality
    resumed: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """The chain's student against a control arm, on the same holdout rows."""

    name: str
    measure: str
    """`accuracy` where the holdout is labelled, else `agreement`."""
    difference: Interval
    """Chain minus control."""
    verdict: str


@dataclass(frozen=True, slots=True)
class Controls:
    """What the same student is without stages, and without the teacher's distributions."""

    direct: StageSummary
    labels_only: StageSummary
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherSummary:
    """The model that was replaced."""

    name: str
    source: str
    kind: str
    params: int | None
    fingerprint: str
    accuracy: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentSummary:
    """The student that ships; its quality was measured on the artifact."""

    name: str
    digest: str
    params: int
    params_without_embeddings: int
    bytes: int
    """Of the model file."""
    variant: str
    agreement: Interval
    accuracy: Interval | None
    retention: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillResult:
    """What `distill` came to."""

    teacher: TeacherSummary
    student: StudentSummary
    stages: tuple[StageSummary, ...]
    controls: Controls | None
    gate: GateResult
    artifact: str
    challenger: str | None
    """Name in the registry; None when the gate refused."""
    labelling: LabelResult
    doubtful: DoubtfulLabels
    """Hard labels of the transfer set that the teacher contradicts; their rows learn from it alone."""
    params_ratio: float | None
    seconds: float
    machine: Machine
    report: str | None = None
    command: str = field(default="coffey distill")


@dataclass(frozen=True, slots=True)
class Lesson:
    """The data with the teacher's answers, as the stages take it."""

    data: ProjectData
    labelled: Labelled
    hard: npt.NDArray[np.int64]
    holdout: Holdout


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
    labels = space.teacher.labels
    for split in (read.transfer, read.holdout):
        split.indices(labels)  # refused before anything is paid for
    labelled = label_data(space.settings, read, space.teacher, space.labels, progress)
    data = labelled.data
    hard = data.holdout.indices(labels) if data.holdout.labelled() else None
    holdout = Holdout(list(data.holdout.texts), labelled.holdout, hard)
    return Lesson(data, labelled, data.transfer.indices(labels), holdout)


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
    chain = run_chain(request, progress=space.progress)
    arms = _train_arms(request, chain, space) if compare else None
    candidate = _package(space, lesson, chain, folder)
    quality = candidate.manifest.quality
    passed = gate(quality, space.settings.budget)
    challenger = _register(space, candidate, chain.final, passed, lesson) if passed.passed else None
    teacher = space.teacher
    return DistillResult(
        teacher=TeacherSummary(
            name="/".join(Path(teacher.source).parts[-2:]),
            source=teacher.source,
            kind=space.settings.teacher.kind,
            params=teacher.params,
            fingerprint=teacher.fingerprint,
            accuracy=quality.teacher_accuracy,
        ),
        student=_student(candidate, challenger),
        stages=tuple(_summary(stage, lesson, teacher.labels) for stage in chain.stages),
        controls=_controls(arms, chain.final, lesson, teacher.labels) if arms else None,
        gate=passed,
        artifact=str(candidate.path),
        challenger=challenger,
        labelling=lesson.labelled.result,
        doubtful=describe_doubtful(
            lesson.labelled.transfer, lesson.hard, texts=lesson.data.transfer.texts, labels=teacher.labels
        ),
        params_ratio=teacher.params / candidate.manifest.params if teacher.params else None,
        seconds=monotonic() - began,
        machine=describe_machine(),
    )


def run_id(space: Workspace, lesson: Lesson) -> str:
    """Names a run by everything that decides its outcome: data, teacher, chain."""
    chain = _chain(space)
    decided = {name: getattr(chain, name) for name in chain.__slots__ if name != "checkpoint_seconds"}
    return digest_json([lesson.data.digest(), space.teacher.fingerprint, decided])[:16]


def _chain(space: Workspace) -> ChainSettings:
    """The settings of the chain, with the plan's stages in the place of "auto"."""
    return with_stages(space.settings, _chosen(space).stages).chain


def _chosen(space: Workspace) -> Chain:
    return choose_chain(space.settings, kept_result(space, "plan"), teacher_params=space.teacher.params)


def chain_request(space: Workspace, lesson: Lesson, folder: Path) -> ChainRequest:
    """What `run_chain` is asked for, from the project's settings."""
    chain, teacher = _chain(space), space.teacher
    exportable = teacher if isinstance(teacher, ExportableTeacher) else None
    return ChainRequest(
        texts=lesson.data.transfer.texts,
        keys=lesson.data.transfer.keys,
        teacher=lesson.labelled.transfer,
        hard=lesson.hard,
        validation=lesson.data.validation(share=chain.validation, seed=chain.seed),
        labels=teacher.labels,
        stages=chain.stages,
        settings=chain,
        folder=folder,
        tokenizer=exportable.tokenizer() if exportable else None,
        encoder=exportable.encoder() if exportable else None,
    )


def _package(space: Workspace, lesson: Lesson, chain: ChainResult, folder: Path) -> Candidate:
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
            for stage in chain.stages
        ),
    )
    making = Making(
        project=space.settings.project.name,
        store=space.store,
        signer=space.signer,
        holdout=lesson.holdout,
        lineage=lineage,
        export=space.settings.export,
    )
    return make_candidate(chain.final, making, folder=folder / "export", progress=space.progress)


def _register(
    space: Workspace, candidate: Candidate, stage: StageResult, passed: GateResult, lesson: Lesson
) -> str:
    quality = candidate.manifest.quality
    version = register(
        candidate,
        registry=space.registry,
        store=space.store,
        student=stage.folder,
        contract=promise(quality.agreement, quality.examples, "holdout", space.settings.monitor),
        who=WHO,
        evidence={"gate": passed.reason},
    )
    keep_reference(candidate, lesson.holdout.texts, store=space.store, trust=space.trust)
    return version.name


def _train_arms(
    request: ChainRequest, chain: ChainResult, space: Workspace
) -> tuple[StageResult, StageResult]:
    return (
        direct_jump(request, chain, progress=space.progress),
        labels_only(request, chain, progress=space.progress),
    )


def _student(candidate: Candidate, name: str | None) -> StudentSummary:
    manifest = candidate.manifest
    quality = manifest.quality
    return StudentSummary(
        name=name or f"{manifest.name}-{candidate.digest[:8]}",
        digest=candidate.digest,
        params=manifest.params,
        params_without_embeddings=manifest.params_without_embeddings,
        bytes=manifest.files["model.onnx"].bytes,
        variant=manifest.quantization.variant,
        agreement=quality.agreement,
        accuracy=quality.accuracy,
        retention=quality.retention,
    )


def _answers(stage: StageResult, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Probabilities [n, labels] of the torch student."""
    saved = load_student(stage.folder)
    encoder = TextEncoder(saved.tokenizer.to_str().encode(), stage.shape.max_length)
    return torch_probabilities(saved.student, encoder.encode, texts)


def _summary(stage: StageResult, lesson: Lesson, labels: Sequence[str]) -> StageSummary:
    holdout = lesson.holdout
    quality = measure_quality(
        lambda texts: _answers(stage, texts),
        holdout.texts,
        holdout.teacher_probabilities,
        holdout.hard_labels,
        labels,
    )
    return StageSummary(
        name=stage.name,
        shape=str(stage.shape),
        params=stage.params,
        params_without_embeddings=stage.params_without_embeddings,
        taught_by=stage.taught_by,
        initialized=stage.initialized,
        steps=stage.steps,
        epochs=stage.epochs,
        seconds=stage.seconds,
        flops=stage.flops,
        validation_agreement=stage.validation_agreement,
        quality=quality,
        resumed=stage.resumed,
    )


def _controls(
    arms: tuple[StageResult, StageResult], final: StageResult, lesson: Lesson, labels: Sequence[str]
) -> Controls:
    direct, hard = arms
    return Controls(
        direct=_summary(direct, lesson, labels),
        labels_only=_summary(hard, lesson, labels),
        comparisons=tuple(_compared(arm, final, lesson) for arm in arms),
    )


def _compared(arm: StageResult, final: StageResult, lesson: Lesson) -> Comparison:
    holdout = lesson.holdout
    labelled = holdout.hard_labels is not None
    truth = (
        np.asarray(holdout.hard_labels) if labelled else np.asarray(holdout.teacher_probabilities).argmax(1)
    )
    known = truth >= 0
    ours, theirs = ((_answers(stage, holdout.texts).argmax(1) == truth)[known] for stage in (final, arm))
    difference = paired_difference(ours, theirs, seed=0)
    measure = "accuracy" if labelled else "agreement"
    return Comparison(arm.name, measure, difference, _verdict(arm.name, measure, difference))


def _verdict(name: str, measure: str, difference: Interval) -> str:
    points = f"{abs(difference.value) * 100:.1f} points of {measure}"
    bounds = f"({difference.low * 100:+.1f} to {difference.high * 100:+.1f})"
    if difference.low > 0:
        return f"The chain won against {name}: {points} better {bounds}."
    if difference.high < 0:
        return f"The chain lost against {name}: {points} worse {bounds}."
    side = "better" if difference.value >= 0 else "worse"
    return (
        f"No winner between the chain and {name}: the chain is {points} {side} {bounds}, which may be chance."
    )
