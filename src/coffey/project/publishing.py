"""Students out of a project and into one as `transformers` checkpoints: a folder, or the hub."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
from huggingface_hub import HfApi

from coffey.artifact.read import open_artifact
from coffey.control.candidate import make_artifact
from coffey.core.errors import CoffeyError, DataError
from coffey.core.files import write_atomic
from coffey.core.ids import digest_bytes
from coffey.export.card import checkpoint_card
from coffey.export.checkpoint import WEIGHTS, LogitParity, read_checkpoint, write_checkpoint
from coffey.export.gate import GateResult, gate
from coffey.project.distill_result import StudentSummary
from coffey.project.distilling import making_of, prepare, register_passed, student_summary
from coffey.project.models import find_version
from coffey.project.workspace import Workspace
from coffey.students.checkpoint import load_student, save_student
from coffey.teacher.snapshot import locate

WHO = "pull"


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A student that was written as a checkpoint."""

    folder: Path
    version: str
    """Its name in the registry."""
    parity: LogitParity
    """Beside the trained student."""


@dataclass(frozen=True, slots=True)
class PulledStudent:
    """A student from elsewhere, measured here."""

    student: StudentSummary
    gate: GateResult
    artifact: str
    challenger: str | None
    """Name in the registry; None when the gate refused."""


def save_checkpoint(
    space: Workspace, folder: Path, name: str | None = None, *, source: str | None = None
) -> SavedCheckpoint:
    """Write a version (the champion, else the challenger) into `folder`, with its model card.

    The weights are the trained ones, before int8. `source` is what the card's example loads.

    Raises:
        UnknownVersion: there is no such version.
        CoffeyError: the version was registered without its trained weights.
        ArtifactError: the student has no such form, or the checkpoint answers differently.
    """
    version = find_version(space.registry, name)
    if version.student is None:
        raise CoffeyError(f"Version {version.name!r} was registered without its trained weights.")
    saved = load_student(space.store / version.student)
    artifact = open_artifact(space.store / version.artifact, trust=space.trust)
    manifest = artifact.manifest
    texts = [example.text for example in manifest.examples]
    many = manifest.scoring.independent
    parity = write_checkpoint(folder, saved, texts=texts, many_labels=many)
    card = checkpoint_card(manifest, saved.labels, source=source or folder.name)
    write_atomic(folder / "README.md", card.encode())
    return SavedCheckpoint(folder, version.name, parity)


def push(space: Workspace, repo_id: str, name: str | None = None, *, private: bool = True) -> str:
    """Upload a version's checkpoint to the hub; the address of the commit.

    The token is the hub client's own (`HF_TOKEN`, or `hf auth login`). The repository is made where there is
    none; an existing one keeps its visibility.

    Raises:
        UnknownVersion, ArtifactError: as `save_checkpoint`.
        CoffeyError: the hub refused, or cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="coffey-push-") as folder:
        saved = save_checkpoint(space, Path(folder), name, source=repo_id)
        api = HfApi()
        try:
            api.create_repo(repo_id, private=private, exist_ok=True)
            commit = api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=saved.version)
        except (OSError, ValueError, httpx.HTTPError) as exc:
            raise CoffeyError(
                f"{saved.version!r} cannot be pushed to {repo_id!r}: {exc}. Look at the name, the token "
                "(HF_TOKEN, or `hf auth login`) and the network."
            ) from exc
    return str(commit.commit_url)


def pull(space: Workspace, source: str, *, revision: str | None = None) -> PulledStudent:
    """Take a student that Coffey wrote elsewhere as this project's challenger, if it passes the gate here.

    It is exported, quantized and measured on this project's holdout like one that was trained here; what its
    card says counts for nothing, and code that comes with it is not run.

    Args:
        space: the project.
        source: a folder, or a hub id.
        revision: of a hub id: a commit, tag or branch.

    Raises:
        TeacherUnavailable: there is no such folder or repository.
        ArtifactError: Coffey did not write it.
        DataError: it gives other labels than the teacher.
    """
    folder = locate(source, revision=revision).folder
    saved = read_checkpoint(folder)
    if saved.labels != space.teacher.labels:
        expected = ", ".join(space.teacher.labels[:8])
        raise DataError(
            f"{source!r} gives the labels {', '.join(saved.labels[:8])}; expected the teacher's, in the same "
            f"order: {expected}."
        )
    lesson = prepare(space)
    run = space.store / "stages" / f"pulled-{digest_bytes((folder / WEIGHTS).read_bytes())[:16]}"
    save_student(run / "student", saved.student, saved.tokenizer, saved.labels)
    candidate = make_artifact(
        saved.student,
        saved.tokenizer,
        making_of(space, lesson, ()),
        labels=saved.labels,
        max_length=saved.student.shape.max_length,
        folder=run / "export",
        progress=space.progress,
    )
    passed = gate(candidate.manifest.quality, space.settings.budget)
    name = register_passed(space, candidate, run / "student", passed, lesson, who=WHO)
    return PulledStudent(student_summary(candidate, name), passed, str(candidate.path), name)
