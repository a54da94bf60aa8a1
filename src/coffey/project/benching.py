"""`bench`: the artifact that ships beside the teacher, exported the same way, in one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from coffey.bench.compare import bench_artifacts
from coffey.bench.options import BenchOptions, TeacherCall
from coffey.core.settings import Settings
from coffey.data.source import ExampleSource
from coffey.export.teacher import Shelf, keep_teacher
from coffey.project.models import find_version
from coffey.project.workspace import Workspace
from coffey.teacher.protocol import ExportableTeacher

if TYPE_CHECKING:
    from coffey.bench.result import BenchResult

TEXTS = 1000
"""Holdout texts that inputs are drawn from: their lengths are what matters."""


def bench_project(
    space: Workspace, student: Path, *, options: BenchOptions, teacher: bool = True
) -> BenchResult:
    """Time the artifact in the folder `student`, the teacher beside it.

    Raises:
        ArtifactError: it cannot be read or trusted.
        ServeError: the server could not be started or asked.
    """
    texts = holdout_texts(space.settings)
    beside = teacher_subject(space, texts) if teacher else None
    return bench_artifacts(
        student, beside, texts, trust=space.trust, options=options, progress=space.progress
    )


def bench_options(settings: Settings, *, seconds: float, http: bool) -> BenchOptions:
    """The project's promise and threads."""
    return BenchOptions(
        latency_p99_ms=settings.budget.latency_p99_ms,
        seconds=seconds,
        http=http,
        threads=settings.serve.threads,
    )


def holdout_texts(settings: Settings) -> list[str]:
    """The first texts of the holdout."""
    source = ExampleSource(
        settings.data.holdout,
        text=settings.task.text,
        label=settings.task.label,
        bad_rows="skip",
        separator=settings.task.label_separator,
    )
    texts: list[str] = []
    for example in source:
        texts.append(example.text)
        if len(texts) == TEXTS:
            break
    return texts


def teacher_subject(space: Workspace, texts: list[str]) -> Path | TeacherCall:
    """The teacher as an artifact where its network can be taken out, else as the function it is."""
    teacher = space.teacher
    if not isinstance(teacher, ExportableTeacher):
        return TeacherCall(name="teacher (python)", call=teacher.predict, params=teacher.params)
    return keep_teacher(teacher, texts, teacher_shelf(space))


def teacher_shelf(space: Workspace) -> Shelf:
    """Where the project keeps its exported teacher: `bench` and `plan --probe` time the same bytes."""
    return Shelf(name=f"{space.settings.project.name}-teacher", store=space.store, signer=space.signer)


def find_student(space: Workspace, name: str | None) -> Path:
    """The folder of a version, alias or artifact; of the champion, else the challenger, when `name` is None.

    Raises:
        UnknownVersion: there is no such model.
    """
    if name is not None and Path(name, "manifest.json").exists():
        return Path(name)
    return space.store / find_version(space.registry, name).artifact
