"""From a trained stage to a registered version: export, measure, sign, register; each once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from coffey.artifact.manifest import Lineage, Manifest
from coffey.artifact.predictor import Predictor
from coffey.artifact.read import open_artifact
from coffey.artifact.signing import Signer, Trust
from coffey.core.clock import unix_now
from coffey.core.errors import ArtifactError
from coffey.core.files import write_atomic
from coffey.core.ids import canonical_json
from coffey.core.progress import Progress
from coffey.core.records import Contract, Interval, JsonObject
from coffey.core.settings import ExportSettings, MonitorSettings
from coffey.distill.records import StageResult
from coffey.export.export import export_student
from coffey.export.package import Holdout, Timing, package_student
from coffey.monitor.baseline import baseline_path, measure_baseline, save_baseline
from coffey.monitor.sample import reference_path, sample_requests, save_sample
from coffey.registry.protocol import CHALLENGER, CHAMPION, Registry
from coffey.registry.version import Version
from coffey.stats.scoring import ONE_LABEL, Scoring, threshold_of
from coffey.students.checkpoint import load_student


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Everything that packaging needs beside the stage itself."""

    project: str
    store: Path
    signer: Signer
    holdout: Holdout
    lineage: Lineage
    export: ExportSettings
    scoring: Scoring = ONE_LABEL
    measure_latency: Timing | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A signed artifact, not yet registered."""

    path: Path
    digest: str
    manifest: Manifest


def make_candidate(stage: StageResult, making: Making, *, folder: Path, progress: Progress) -> Candidate:
    """Export, measure and sign a stage's student; what an earlier run finished is read back.

    `folder` keeps the exported variants and the note of what they became.

    Raises:
        ParityExceeded: no variant says what the student says.
        StoreUnavailable: the disk is full, or the like.
    """
    saved = load_student(stage.folder)
    return make_artifact(
        saved.student,
        saved.tokenizer,
        making,
        labels=saved.labels,
        max_length=stage.shape.max_length,
        folder=folder,
        progress=progress,
    )


def make_artifact(
    module: torch.nn.Module,
    tokenizer: Tokenizer,
    making: Making,
    *,
    labels: Sequence[str],
    max_length: int,
    folder: Path,
    progress: Progress,
) -> Candidate:
    """As `make_candidate`, for any module with the outputs that `export_student` asks for."""
    note = folder / "artifact.json"
    done = _finished(note, making)
    if done is not None:
        return done
    variants = export_student(
        module,
        tokenizer,
        labels=labels,
        max_length=max_length,
        folder=folder,
        holdout_texts=making.holdout.texts,
        settings=making.export,
        progress=progress,
        scoring=making.scoring,
    )
    packaged = package_student(
        variants,
        name=making.project,
        root=making.store / "artifacts",
        lineage=making.lineage,
        holdout=making.holdout,
        signer=making.signer,
        measure_latency=making.measure_latency,
    )
    write_atomic(note, canonical_json({"digest": packaged.digest, "asked": _asked(making)}))
    return Candidate(packaged.path, packaged.digest, packaged.manifest)


def register(
    candidate: Candidate,
    *,
    registry: Registry,
    store: Path,
    student: Path,
    contract: Contract,
    who: str,
    evidence: JsonObject,
    displace: bool = True,
) -> Version:
    """Add the candidate to the registry and point `challenger` at it; again is no change.

    A candidate that is the champion already does not challenge itself. Without `displace`, a challenger that
    waits for somebody's decision stays where it is.
    """
    version = Version(
        name=f"{candidate.manifest.name}-{candidate.digest[:8]}",
        digest=candidate.digest,
        artifact=candidate.path.relative_to(store).as_posix(),
        student=student.relative_to(store).as_posix(),
        contract=contract,
        created_unix_s=unix_now(),
        lineage={
            "teacher": candidate.manifest.lineage.teacher,
            "previous": candidate.manifest.lineage.previous,
        },
    )
    registry.add(version, who=who, evidence=evidence)
    current = registry.alias(CHALLENGER)
    if version.name not in (current, registry.alias(CHAMPION)) and (displace or current is None):
        registry.move({CHALLENGER: version.name}, expected={CHALLENGER: current}, evidence=evidence, who=who)
    return version


def promise(agreement: Interval, examples: int, measured_on: str, monitor: MonitorSettings) -> Contract:
    """The contract of a student with this measured agreement."""
    return Contract(
        agreement=agreement,
        examples=examples,
        measured_on=measured_on,
        max_drop=monitor.max_drop,
        redistill_drop=monitor.redistill_drop,
    )


def keep_reference(
    candidate: Candidate,
    judged: Holdout,
    *,
    store: Path,
    trust: Trust,
    counts: Sequence[float] | None = None,
) -> None:
    """Keep what inputs look like to this student now, and how well it agrees where: what it was judged on.

    Drift and slices are measured against it. `counts` are the requests that each text stands for.
    """
    sample, baseline = reference_path(store, candidate.digest), baseline_path(store, candidate.digest)
    if sample.exists() and baseline.exists():
        return
    predictor = Predictor.load(candidate.path, trust=trust)
    save_sample(sample, sample_requests(predictor, judged.texts))
    measured = measure_baseline(predictor, judged.texts, judged.teacher_probabilities, counts=counts)
    if measured is not None:
        save_baseline(baseline, measured)


def _asked(making: Making) -> JsonObject:
    """What decides an artifact beside its stage and data: with other settings it is made anew."""
    scoring = making.scoring
    task = {"task": [scoring.kind, threshold_of(scoring)]} if scoring.independent else {}
    return {"name": making.project, "export": asdict(making.export), **task}


def _finished(note: Path, making: Making) -> Candidate | None:
    try:
        made = json.loads(note.read_bytes())
        if made["asked"] != _asked(making):
            return None
        folder = making.store / "artifacts" / made["digest"]
        if not folder.exists():
            return None
        artifact = open_artifact(folder, trust=Trust.of_signer(making.signer))
    except (OSError, ValueError, KeyError, TypeError, ArtifactError):
        return None
    return Candidate(artifact.path, artifact.digest, artifact.manifest)
