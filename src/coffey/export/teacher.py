"""The teacher's network as a signed artifact: exported once, kept in the store, shared by all who time it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from coffey.artifact.manifest import Lineage
from coffey.artifact.read import open_artifact
from coffey.artifact.signing import Signer, Trust
from coffey.core.clock import utc_now
from coffey.core.errors import ArtifactError, ParityExceeded, StoreUnavailable
from coffey.core.files import write_atomic
from coffey.core.ids import canonical_json, digest_json
from coffey.core.settings import ExportSettings
from coffey.export.onnx import OPSET
from coffey.export.package import Holdout, package_student, recorded_versions
from coffey.export.single import SingleForm, export_single
from coffey.teacher.answers import scoring_of_teacher
from coffey.teacher.protocol import ExportableTeacher, Teacher

FORM: SingleForm = "fused"
"""How a teacher is timed: fp32, with ONNX Runtime's fused operators, as students are served."""

PARITY_TEXTS = 16
"""Texts that the graph is compared with the network on: a wrong graph differs on every one of them."""


class NetworkTeacher(Teacher, ExportableTeacher, Protocol):
    """A teacher that answers and whose network can be taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where exported teachers are kept, under which name, and who signs them."""

    name: str
    """In the manifests, for people."""
    store: Path
    signer: Signer


def keep_teacher(teacher: NetworkTeacher, texts: Sequence[str], shelf: Shelf) -> Path:
    """The folder of the teacher's artifact: the kept one if it is whole, else made now.

    It is kept under the teacher's fingerprint, the form of the export and the versions of the libraries that
    made it, so that another of any of them is exported anew. What is kept is verified, signature and every
    byte, before it is trusted again. Another process that exports at the same time makes its own; either is
    whole.

    Args:
        teacher: what is exported.
        texts: what parity is measured on, the first `PARITY_TEXTS` of them.
        shelf: where it is kept.

    Raises:
        ParityExceeded: the graph does not say what the network says.
        EmptyData: no text.
        StoreUnavailable: the store cannot be written.
    """
    note = shelf.store / "teachers" / f"{_key(teacher, shelf)}.json"
    return _kept(note, shelf) or _made(note, teacher, list(texts[:PARITY_TEXTS]), shelf)


def _key(teacher: NetworkTeacher, shelf: Shelf) -> str:
    """Names an export by everything that decides its bytes."""
    made_of = [teacher.fingerprint, teacher.max_length, shelf.name, FORM, OPSET, recorded_versions()]
    return digest_json(made_of)[:32]


def _kept(note: Path, shelf: Shelf) -> Path | None:
    try:
        folder = shelf.store / "artifacts" / json.loads(note.read_bytes())["digest"]
        return open_artifact(folder, trust=Trust.of_signer(shelf.signer)).path
    except (OSError, ValueError, KeyError, TypeError, ArtifactError, StoreUnavailable):
        return None  # never made, or damaged since: made anew


def _made(note: Path, teacher: NetworkTeacher, texts: list[str], shelf: Shelf) -> Path:
    with tempfile.TemporaryDirectory(prefix="coffey-teacher-") as scratch:
        variants = export_single(
            teacher.module(),
            teacher.tokenizer(),
            form=FORM,
            labels=teacher.labels,
            max_length=teacher.max_length,
            folder=Path(scratch),
            texts=texts,
            scoring=scoring_of_teacher(teacher.header),
        )
        bound = ExportSettings().min_parity
        if not variants.chosen.agreement >= bound:
            raise ParityExceeded(FORM, variants.chosen.agreement, bound)
        packaged = package_student(
            variants,
            name=shelf.name,
            root=shelf.store / "artifacts",
            lineage=_lineage(teacher),
            holdout=Holdout(texts, teacher.predict(texts)),
            signer=shelf.signer,
        )
    write_atomic(note, canonical_json({"digest": packaged.digest}))
    return packaged.path


def _lineage(teacher: NetworkTeacher) -> Lineage:
    return Lineage(
        teacher=teacher.fingerprint,
        teacher_source=teacher.source,
        teacher_params=teacher.params,
        label_digest="",
        created=utc_now(),
    )
