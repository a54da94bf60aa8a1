"""A predictor runs the bytes that were verified, and knows when this machine computes something else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coffey.artifact.manifest import MODEL, Expected
from coffey.artifact.predictor import Predictor
from coffey.artifact.read import open_artifact
from coffey.artifact.signing import Signer, Trust
from coffey.artifact.write import write_artifact
from coffey.core.errors import ArtifactError, DigestMismatch


def test_a_predictor_says_what_its_maker_measured(artifact: Path, trust: Trust, tiny):
    """Labels, digest, manifest, and the examples' probabilities."""
    predictor = Predictor.load(artifact, trust=trust)
    assert predictor.labels == tiny.labels
    assert predictor.digest == artifact.name == predictor.path.name
    assert predictor.manifest.name == "tiny"
    assert predictor.check_examples() == pytest.approx(0, abs=1e-6)


def test_a_change_on_disk_after_verification_has_no_effect(artifact: Path, trust: Trust, tiny):
    """What runs is what was checked."""
    verified = open_artifact(artifact, trust=trust)
    (artifact / MODEL).chmod(0o644)
    (artifact / MODEL).write_bytes(tiny.model(seed=1))
    text = ["play the music"]
    np.testing.assert_array_equal(Predictor(verified).predict(text), tiny.runtime().predict(text))
    with pytest.raises(DigestMismatch):
        Predictor.load(artifact, trust=trust)


@pytest.mark.parametrize("wrong", [(0.0, 0.0, 1.0), (float("1e3"), 0.0, 0.0)])
def test_other_answers_than_the_makers_are_refused(tmp_path, tiny, signer: Signer, trust: Trust, wrong):
    """A kernel that computes something else is caught before traffic is."""
    manifest = tiny.manifest(examples=(Expected("play the music", wrong),))
    folder = write_artifact(tmp_path / "a", manifest, tiny.files(), signer)
    with pytest.raises(ArtifactError, match="differently here"):
        Predictor.load(folder, trust=trust).check_examples()


def test_an_artifact_without_examples_has_nothing_to_check(tmp_path, tiny, signer: Signer, trust: Trust):
    """It is not refused for that."""
    folder = write_artifact(tmp_path / "a", tiny.manifest(examples=()), tiny.files(), signer)
    assert Predictor.load(folder, trust=trust).check_examples() == 0


def test_loading_and_answering_needs_no_training_library(artifact: Path, tmp_path: Path):
    """A fresh process that predicts has imported none of them."""
    code = (
        "import sys; from pathlib import Path; from coffey.artifact.predictor import Predictor\n"
        "from coffey.artifact.signing import Trust\n"
        "Predictor.load(Path(sys.argv[1]), trust=Trust.of(Path(sys.argv[2]))).predict(['play'])\n"
        "print([m for m in ('torch', 'transformers', 'scipy', 'pyarrow', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, artifact, tmp_path / "keys"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
