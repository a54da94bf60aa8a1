"""The artifact holds the chosen bytes, and its quality was measured on them through the serving path."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.artifact.manifest import MODEL, Lineage
from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Signer, Trust
from coffey.core.errors import DataError
from coffey.core.records import Latency, Machine
from coffey.export.package import Holdout, batch_agreement, package_student
from coffey.export.quality import measure_quality

LINEAGE = Lineage(
    teacher="f" * 64,
    teacher_source="here",
    teacher_params=1,
    label_digest="d" * 64,
    created="2026-01-01T00:00:00.000Z",
)


@pytest.fixture
def holdout(variants, texts) -> Holdout:
    teacher = variants.runtime("fp32").predict(texts)
    hard = teacher.argmax(axis=1)
    hard[::3] = -1
    return Holdout(texts, teacher, hard)


def test_a_student_is_packaged_signed_and_served(variants, holdout, texts, tmp_path):
    """From variants to a predictor: the same bytes, the same figures, and nothing left lying about."""
    signer = Signer.open(tmp_path / "keys")
    made = package_student(
        variants, name="tiny", root=tmp_path / "artifacts", lineage=LINEAGE, holdout=holdout, signer=signer
    )
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == [made.digest]
    assert (made.path / MODEL).read_bytes() == variants.chosen.path.read_bytes()
    predictor = Predictor.load(made.path, trust=Trust.of(tmp_path / "keys"))
    again = measure_quality(
        predictor.predict, texts, holdout.teacher_probabilities, holdout.hard_labels, predictor.labels
    )
    assert made.quality == again == predictor.manifest.quality
    assert made.quality.retention is not None
    assert made.manifest.bins is None, "a student that agrees with everything has nothing to aim at"
    assert predictor.check_examples() == 0
    np.testing.assert_array_equal(predictor.predict(texts), variants.runtime().predict(texts))


def test_the_manifest_tells_how_the_variant_was_chosen(variants, holdout, tmp_path):
    """Every variant with its figures, parameters, lineage, versions, examples of every kind."""
    manifest = package_student(
        variants,
        name="tiny",
        root=tmp_path,
        lineage=LINEAGE,
        holdout=holdout,
        signer=Signer.open(tmp_path / "keys"),
    ).manifest
    assert manifest.quantization.variant == variants.chosen.name
    assert [item.name for item in manifest.quantization.variants] == [v.name for v in variants.variants]
    assert 0.9 <= manifest.quantization.batch_agreement <= 1
    assert manifest.params == variants.parameters.total
    assert manifest.lineage == LINEAGE
    assert {"coffey", "onnxruntime", "torch"} <= set(manifest.versions)
    assert "" in {example.text for example in manifest.examples}
    assert manifest.latency == ()


def test_latency_is_measured_on_the_same_runtime(variants, holdout, tmp_path):
    """The caller's timing gets the runtime that is packaged, and its records are kept."""
    machine = Machine("cpu", 2, 8.0, "Linux", "3")
    record = Latency("student", "in-process", "closed", 1, 1.0, 1.0, 1.0, 1.0, 1000.0)
    seen = []

    def time(runtime):
        seen.append(runtime.predict(["play"]).shape)
        return [record], machine

    manifest = package_student(
        variants,
        name="tiny",
        root=tmp_path,
        lineage=LINEAGE,
        holdout=holdout,
        signer=Signer.open(tmp_path / "keys"),
        measure_latency=time,
    ).manifest
    assert seen == [(1, 4)]
    assert (manifest.latency, manifest.machine) == ((record,), machine)


def test_a_holdout_of_another_teacher_writes_nothing(variants, texts, tmp_path):
    """Figures that cannot be measured stop the packaging."""
    with pytest.raises(DataError):
        package_student(
            variants,
            name="tiny",
            root=tmp_path / "artifacts",
            lineage=LINEAGE,
            holdout=Holdout(texts, np.ones((len(texts), 7))),
            signer=Signer.open(tmp_path / "keys"),
        )
    assert not (tmp_path / "artifacts").exists()


def test_batch_agreement_of_fp32_is_one(variants, texts):
    """Only int8 may depend on company."""
    assert batch_agreement(variants.runtime("fp32"), texts) == 1


def test_agreement_by_confidence_is_measured_on_the_holdout(variants, texts, tmp_path):
    """Where the student errs when it is unsure, the manifest says so, and a server reads it there."""
    said = np.tile(variants.runtime().predict(texts), (40, 1))
    teacher = said.copy()
    unsure = said.max(axis=1) <= np.median(said.max(axis=1))
    teacher[unsure] = np.roll(teacher[unsure], 1, axis=1)
    holdout = Holdout(list(texts) * 40, teacher)
    made = package_student(
        variants,
        name="tiny",
        root=tmp_path / "artifacts",
        lineage=LINEAGE,
        holdout=holdout,
        signer=Signer.open(tmp_path / "keys"),
    )
    bins = made.manifest.bins
    assert bins == Predictor.load(made.path, trust=Trust.of(tmp_path / "keys")).bins
    assert bins.mean == pytest.approx(made.quality.agreement.value, abs=0.02)
    assert bins.agreement[0] < bins.agreement[-1]
