"""From a trained student to a registered version, each step once."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from coffey.artifact.manifest import Lineage
from coffey.artifact.signing import Signer, Trust
from coffey.control.candidate import (
    Making,
    keep_reference,
    make_artifact,
    promise,
    register,
)
from coffey.core.progress import Silent
from coffey.core.records import Interval
from coffey.core.settings import ExportSettings, MonitorSettings
from coffey.export.package import Holdout
from coffey.monitor.baseline import baseline_path, load_baseline
from coffey.monitor.sample import load_sample, reference_path
from coffey.registry.journal import JournalRegistry
from coffey.registry.protocol import CHALLENGER, CHAMPION
from coffey.students.checkpoint import load_student

LABELS = ("billing", "delivery", "account")
MONITOR = MonitorSettings(max_drop=0.02, redistill_drop=0.03)


@pytest.fixture(scope="session")
def workshop(distilled, tmp_path_factory):
    """A student, and `make(**changes)` that makes an artifact of it in `store`."""
    store, keys = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("key")
    space = distilled.load().workspace
    saved = load_student(space.store / space.registry.resolve(CHAMPION).student)
    texts = distilled.known(40, seed=51)
    signer = Signer.open(keys)

    def make(*, name="small", export=None, into=store):
        making = Making(
            project=name,
            store=into,
            signer=signer,
            holdout=Holdout(texts, space.teacher.predict(texts)),
            lineage=Lineage(
                teacher="t", teacher_source="s", teacher_params=None, label_digest="d", created="2026-01-01"
            ),
            export=export or ExportSettings(int8=False),
        )
        return make_artifact(
            saved.student,
            saved.tokenizer,
            making,
            labels=saved.labels,
            max_length=saved.student.shape.max_length,
            folder=into / "stages" / "export",
            progress=Silent(),
        )

    return SimpleNamespace(
        make=make, store=store, texts=texts, first=make(), trust=Trust.of_signer(signer), whole=distilled
    )


@pytest.fixture
def own(workshop, tmp_path):
    """A copy of the store that a test may change."""
    return shutil.copytree(workshop.store, tmp_path / "store")


def stamps(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_an_artifact_is_made_once(workshop, own):
    """The second call reads it back: same digest, not one file written."""
    before = stamps(own)
    again = workshop.make(into=own)
    assert again.digest == workshop.first.digest == again.path.name
    assert again.manifest == workshop.first.manifest
    assert stamps(own) == before


@pytest.mark.parametrize("change", [{"export": ExportSettings(int8=True)}, {"name": "renamed"}])
def test_other_settings_make_another_artifact(workshop, own, change):
    """What `[export]` or the name says now counts, not what it said at the first call."""
    other = workshop.make(into=own, **change)
    assert other.digest != workshop.first.digest
    assert other.manifest.name == change.get("name", "small")
    assert ("int8" in {one.name for one in other.manifest.quantization.variants}) is ("export" in change)


@pytest.mark.parametrize("damage", ["gone", "signature", "note", "list"])
def test_what_was_damaged_is_made_again(workshop, own, damage):
    """A lost artifact, one that is not trusted or a damaged note does not pass for finished work."""
    note = own / "stages" / "export" / "artifact.json"
    if damage == "gone":
        shutil.rmtree(own / "artifacts" / workshop.first.digest)
    elif damage == "signature":
        (own / "artifacts" / workshop.first.digest / "signature.json").unlink()
    else:
        note.write_text("{" if damage == "note" else "[]")
    again = workshop.make(into=own)
    assert again.manifest.quality == workshop.first.manifest.quality
    assert (again.path / "model.onnx").exists()


def registered(workshop, registry, who="distill", contract=None):
    quality = workshop.first.manifest.quality
    return register(
        workshop.first,
        registry=registry,
        store=workshop.store,
        student=workshop.store / "stages" / "student",
        contract=contract or promise(quality.agreement, quality.examples, "holdout", MONITOR),
        who=who,
        evidence={"gate": "passed"},
    )


def test_registering_again_is_no_change(workshop, tmp_path):
    """One version, one alias, two events; paths are relative to the store."""
    registry = JournalRegistry(tmp_path)
    version = registered(workshop, registry)
    assert registered(workshop, registry).name == version.name
    assert [event.kind for event in registry.events()] == ["add", "move"]
    assert registry.alias(CHALLENGER) == version.name == f"small-{workshop.first.digest[:8]}"
    assert version.artifact == f"artifacts/{workshop.first.digest}"
    assert version.student == "stages/student"


def test_a_champion_does_not_challenge_itself(workshop, tmp_path):
    """Distilling again after the promotion leaves the aliases as they are."""
    registry = JournalRegistry(tmp_path)
    registry.promote(registered(workshop, registry).name, evidence={}, who="test")
    registered(workshop, registry)
    assert set(registry.aliases()) == {CHAMPION}


def test_the_promise_is_what_was_measured():
    """Agreement with its interval, on how many of what, and the drops that are tolerated."""
    agreement = Interval(0.95, 0.93, 0.97)
    contract = promise(agreement, 400, "holdout", MONITOR)
    assert (contract.agreement, contract.examples, contract.measured_on) == (agreement, 400, "holdout")
    assert (contract.max_drop, contract.redistill_drop) == (0.02, 0.03)


def test_the_reference_is_kept_once(workshop, own):
    """It shows what inputs looked like when the student was made, and how well it agreed with the teacher on
    each; later calls change nothing."""
    teacher = np.eye(len(LABELS))[[index % len(LABELS) for index in range(len(workshop.texts))]]
    judged = Holdout(workshop.texts, teacher)
    keep_reference(workshop.first, judged, store=own, trust=workshop.trust)
    path, beside = (where(own, workshop.first.digest) for where in (reference_path, baseline_path))
    before = path.read_bytes(), beside.read_bytes()
    keep_reference(workshop.first, Holdout(["else"], teacher[:1]), store=own, trust=workshop.trust)
    assert (path.read_bytes(), beside.read_bytes()) == before
    baseline = load_baseline(beside)
    right = [LABELS[index % len(LABELS)] == said for index, said in enumerate(baseline.said)]
    assert baseline.agreement.tolist() == right
    sample = load_sample(path)
    assert len(sample.labels) == len(workshop.texts)
    assert set(sample.labels) <= set(workshop.whole.load().workspace.teacher.labels)
