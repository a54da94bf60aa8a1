"""A model card says what the manifest says, in words, and nothing that the manifest does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coffey.artifact.manifest import CARD, LABELS, Lineage, content_digest, digest, encode
from coffey.artifact.signing import Signer
from coffey.export.card import MOST_LABELS, artifact_card, checkpoint_card
from coffey.export.package import Holdout, package_student

LINEAGE = Lineage(
    teacher="f" * 64, teacher_source="here", teacher_params=1, label_digest="d" * 64, created="2026-01-01"
)


@pytest.fixture
def packaged(variants, texts, tmp_path):
    teacher = variants.runtime("fp32").predict(texts)
    return package_student(
        variants,
        name="tiny",
        root=tmp_path,
        lineage=LINEAGE,
        holdout=Holdout(texts, teacher, teacher.argmax(axis=1)),
        signer=Signer.open(tmp_path / "keys"),
    )


@pytest.fixture
def manifest(packaged):
    return packaged.manifest


def test_the_artifact_has_its_card(packaged, manifest):
    """Signed with the rest, with quality and interval; what answers has the same digest without it."""
    card = (packaged.path / CARD).read_text()
    labels = json.loads((packaged.path / LABELS).read_text())
    assert card == artifact_card(manifest, labels)
    agreement = manifest.quality.agreement
    assert f"{agreement.value:.3f} (95% interval {agreement.low:.3f} to {agreement.high:.3f})" in card
    assert f"{manifest.params:,} parameters" in card
    others = {name: entry for name, entry in manifest.files.items() if name != CARD}
    assert content_digest(replace(manifest, files=others)) == content_digest(manifest)


def test_a_teacher_is_named_without_its_folders(manifest):
    """A card may be published; where the teacher lay on somebody's machine may not."""
    lineage = replace(manifest.lineage, teacher_source="/home/somebody/secret/models/big")
    card = checkpoint_card(replace(manifest, lineage=lineage), ["a"])
    assert "`models/big`" in card
    assert "secret" not in card


def test_what_is_not_known_is_not_said(manifest):
    """Without hard labels there is no row of accuracy or retention; many labels are cut and counted."""
    quality = replace(manifest.quality, accuracy=None, teacher_accuracy=None, retention=None)
    card = checkpoint_card(replace(manifest, quality=quality), [f"label {i}" for i in range(MOST_LABELS + 3)])
    assert "retention" not in card
    assert "| accuracy" not in card
    assert "and 3 more" in card
    assert digest(encode(replace(manifest, quality=quality)))[:12] in card
