"""The composition root: the only place that picks backends; a pick imports what it needs, when it is made."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coffey.artifact.signing import Signer, Trust
from coffey.core.errors import ConfigError, MissingExtra, Problem
from coffey.core.ids import input_key
from coffey.core.progress import Progress, Silent
from coffey.core.settings import Settings, TeacherSettings
from coffey.registry.journal import JournalRegistry
from coffey.registry.protocol import Registry

if TYPE_CHECKING:
    from coffey.teacher.features import FeatureKeeper
    from coffey.teacher.known import KnownAnswers
    from coffey.teacher.protocol import Teacher
    from coffey.teacher.store import LabelStore

LATER = "later"
"""Spending beside the transfer set and the holdout (audits, re-distillations, pilots) is noted as this."""

FEATURES = "features"
"""So is what was spent on texts whose features did not come with their answers."""


def local_store(settings: Settings) -> Path:
    """The store's folder.

    Raises:
        ConfigError: the store is a URL; only local folders are supported by this version.
    """
    store = settings.project.store
    if "://" in store and not store.startswith("file://"):
        expected = "a local folder (object stores are not supported by this version)"
        raise ConfigError("coffey.toml", [Problem("project.store", store, expected)])
    return Path(store.removeprefix("file://"))


def build_registry(store: Path) -> Registry:
    """What is live and why, kept in a folder of the store."""
    return JournalRegistry(store / "registry" / "events")


def build_signer(key_folder: Path) -> Signer:
    """The signing key; made on first use."""
    return Signer.open(key_folder)


def build_trust(key_folder: Path, files: tuple[Path, ...] = ()) -> Trust:
    """The keys whose artifacts are loaded."""
    return Trust.of(key_folder, files)


def open_modules(settings: Settings, folder: Path) -> None:
    """Let stages that name a module of the user's import it from `folder`, the one of `coffey.toml`.

    The folder comes last on the import path, so that it hides nothing, and stays there: a student is loaded,
    long after its stage, from the same module.
    """
    place = str(folder.resolve())
    if any(stage.strip().startswith("module=") for stage in settings.chain.stages) and place not in sys.path:
        sys.path.append(place)


def build_teacher(settings: Settings, folder: Path, progress: Progress | None = None) -> Teacher:
    """The teacher that `[teacher]` names; `folder` is the one of `coffey.toml`.

    Raises:
        ConfigError: the variable of an endpoint's key is not set, or its question cannot be used.
        MissingExtra: its libraries are not installed.
        TeacherUnavailable: it cannot be loaded.
    """
    wanted = settings.teacher
    labels = settings.task.labels if isinstance(settings.task.labels, tuple) else None
    independent = settings.task.many_labels
    try:
        if wanted.kind == "python":
            from coffey.teacher.function import FunctionTeacher

            return FunctionTeacher.load(
                wanted.source,
                folder=folder,
                labels=labels or (),
                version=wanted.version,
                independent=independent,
            )
        if wanted.kind == "openai":
            return _endpoint_teacher(wanted, folder, labels or ())
        from coffey.export.quicken import Quickener
        from coffey.teacher.checkpoint import CheckpointTeacher
    except ModuleNotFoundError as exc:
        extra = "watch" if wanted.kind == "openai" else "distill"
        raise MissingExtra(f"A teacher of kind {wanted.kind!r}", extra, exc.name or "torch") from exc
    teacher = CheckpointTeacher.load(
        wanted.source,
        revision=wanted.revision,
        head=Path(wanted.head) if wanted.head else None,
        labels=labels,
        batch_size=wanted.batch_size,
        max_length=wanted.max_length,
        threads=wanted.threads,
        independent=independent,
    )
    kept = local_store(settings) / "teachers" / "labelling"
    teacher.quicken_with(Quickener(kept, wanted.threads, progress or Silent()))
    return teacher


def _endpoint_teacher(wanted: TeacherSettings, folder: Path, labels: Sequence[str]) -> Teacher:
    from coffey.teacher.endpoint import EndpointTeacher

    return EndpointTeacher(
        wanted.source,
        wanted.endpoint,
        wanted.asking,
        labels=labels,
        template=_template(wanted.asking.prompt, folder),
        key=_secret("teacher.endpoint.api_key_env", wanted.endpoint.api_key_env),
        revision=wanted.revision,
        version=wanted.version,
    )


def _secret(setting: str, variable: str | None) -> str | None:
    """The value of an environment variable that a setting names."""
    if variable is None:
        return None
    value = os.environ.get(variable, "").strip()
    if not (value and value.isascii() and value.isprintable()):
        expected = "an environment variable that is set, to printable ASCII"
        raise ConfigError("coffey.toml", [Problem(setting, variable, expected)])
    return value


def _template(prompt: str | None, folder: Path) -> str:
    """The question that `teacher.asking.prompt` holds or names."""
    from coffey.teacher.prompt import DEFAULT_TEMPLATE, is_template, template_problem

    if prompt is None or is_template(prompt):
        return prompt or DEFAULT_TEMPLATE
    try:
        template = (folder / Path(prompt).expanduser()).read_text(encoding="utf-8-sig")
        expected = template_problem(template)
    except (OSError, ValueError) as exc:
        expected = f"a question with {{text}} in it, or a UTF-8 file that holds one ({exc})"
    if expected:
        raise ConfigError("coffey.toml", [Problem("teacher.asking.prompt", prompt, expected)])
    return template


def open_labels(store: Path, teacher: Teacher) -> LabelStore:
    """The store of this teacher's answers.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    try:
        from coffey.teacher.store import LabelStore
    except ModuleNotFoundError as exc:
        raise MissingExtra("The label store", "watch", exc.name or "pyarrow") from exc
    return LabelStore.open(store, teacher)


def feature_reader(
    settings: Settings, teacher: Teacher, labels: LabelStore, progress: Progress, *, spent_usd: float
) -> Callable[[Sequence[str]], npt.NDArray[np.float16]] | None:
    """Reads a teacher's sentence features through the store; None where it shows none.

    What is missing there is asked within the budget, of which `spent_usd` was spent before.
    """
    from coffey.teacher.protocol import FeatureTeacher

    if not isinstance(teacher, FeatureTeacher):
        return None
    from coffey.teacher.features import FeatureReader
    from coffey.teacher.purse import Purse

    purse = Purse.from_settings(settings, labels, FEATURES, spent_usd=spent_usd)
    folder = _feature_folder(settings, teacher)
    return FeatureReader(teacher, folder, progress, purse=purse)


def feature_keeper(
    settings: Settings, teacher: Teacher, count: int, progress: Progress
) -> FeatureKeeper | None:
    """Keeps the features that come with the answers to `count` texts; None where no stage needs them."""
    from coffey.teacher.protocol import FeatureTeacher

    if not (settings.chain.wants_features and isinstance(teacher, FeatureTeacher)):
        return None
    from coffey.teacher.features import FeatureKeeper

    return FeatureKeeper(_feature_folder(settings, teacher), count, progress)


def _feature_folder(settings: Settings, teacher: Teacher) -> Path:
    return local_store(settings) / "features" / teacher.fingerprint


def answer(
    settings: Settings,
    teacher: Teacher,
    labels: LabelStore,
    texts: Sequence[str],
    progress: Progress,
    *,
    features: FeatureKeeper | None = None,
) -> npt.NDArray[np.float32]:
    """The teacher's probabilities [n, labels] for `texts`, through the label store and within the budget.

    Raises:
        LabelRejected: it gave no usable answer to some, whether it was told to skip them or not.
    """
    from coffey.teacher.asking import ask
    from coffey.teacher.purse import Purse

    purse = Purse.from_settings(settings, labels, LATER)
    ask(
        teacher,
        labels,
        texts,
        batch_size=settings.teacher.batch_size,
        purse=purse,
        progress=progress,
        features=features,
    )
    return labels.read([input_key(text) for text in texts])


def answer_known(
    settings: Settings, teacher: Teacher, labels: LabelStore, texts: Sequence[str], progress: Progress
) -> KnownAnswers:
    """As `answer`, without the texts that the teacher skips; those are not asked about again."""
    from coffey.teacher.asking import ask_as_told
    from coffey.teacher.known import read_known
    from coffey.teacher.purse import Purse

    purse = Purse.from_settings(settings, labels, LATER)
    ask_as_told(teacher, labels, texts, settings=settings.teacher, purse=purse, progress=progress)
    return read_known(labels, [input_key(text) for text in texts])
