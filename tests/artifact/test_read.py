"""A changed byte, anywhere, is refused before a session is built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from coffey.artifact.manifest import LABELS, MANIFEST, MODEL, SIGNATURE, TOKENIZER, FileEntry, encode
from coffey.artifact.read import open_artifact, read_manifest
from coffey.artifact.signature import check_signature, make_signature
from coffey.artifact.signing import Signer, Trust
from coffey.artifact.write import list_files, write_artifact
from coffey.core.errors import (
    ArtifactError,
    BadSignature,
    DigestMismatch,
    StoreUnavailable,
    UnknownFormat,
)


def rewrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def place(folder: Path, manifest: bytes, files: dict[str, bytes], signer: Signer) -> Path:
    """A validly signed folder whose contents the writer itself would not make."""
    folder.mkdir()
    for name, data in {**files, MANIFEST: manifest, SIGNATURE: make_signature(manifest, signer)}.items():
        (folder / name).write_bytes(data)
    return folder


def test_what_was_written_is_read(artifact: Path, trust: Trust, tiny):
    """Manifest, labels and the very bytes."""
    found = open_artifact(artifact, trust=trust)
    assert found.digest == artifact.name
    assert found.labels == tiny.labels
    assert {MODEL: found.model, TOKENIZER: found.tokenizer} == {
        name: data for name, data in tiny.files().items() if name != LABELS
    }
    assert found.manifest.files == list_files(tiny.files())
    assert read_manifest(artifact, trust=trust) == found.manifest


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, LABELS])
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_a_changed_byte_in_a_listed_file_is_named(artifact: Path, trust: Trust, name, where):
    """First, middle and last byte."""
    data = bytearray((artifact / name).read_bytes())
    data[int(where * (len(data) - 1))] ^= 1
    rewrite(artifact / name, bytes(data))
    with pytest.raises(DigestMismatch, match=name):
        open_artifact(artifact, trust=trust)


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, LABELS])
def test_a_longer_or_shorter_or_missing_file_is_named(artifact: Path, trust: Trust, name):
    """Appended, truncated, removed."""
    data = (artifact / name).read_bytes()
    for changed in (data + b"x", data[:-1], b""):
        rewrite(artifact / name, changed)
        with pytest.raises(DigestMismatch, match=name):
            open_artifact(artifact, trust=trust)
    (artifact / name).unlink()
    with pytest.raises(DigestMismatch, match=name):
        open_artifact(artifact, trust=trust)


def test_every_changed_byte_of_the_manifest_is_refused(artifact: Path, trust: Trust):
    """The signature covers all of it, spaces included."""
    data = (artifact / MANIFEST).read_bytes()
    for position in range(0, len(data), 97):
        changed = bytearray(data)
        changed[position] ^= 1
        rewrite(artifact / MANIFEST, bytes(changed))
        with pytest.raises(BadSignature):
            open_artifact(artifact, trust=trust)
    rewrite(artifact / MANIFEST, data + b"\n")
    with pytest.raises(BadSignature):
        read_manifest(artifact, trust=trust)


def test_every_changed_byte_of_the_signature_is_refused(artifact: Path, trust: Trust):
    """Whatever is changed in it, it is not accepted."""
    data = (artifact / SIGNATURE).read_bytes()
    for position in range(0, len(data), 13):
        changed = bytearray(data)
        changed[position] ^= 1
        rewrite(artifact / SIGNATURE, bytes(changed))
        with pytest.raises((BadSignature, UnknownFormat)):
            open_artifact(artifact, trust=trust)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE])
def test_no_manifest_or_no_signature_is_no_artifact(artifact: Path, trust: Trust, name):
    """Both are needed."""
    (artifact / name).unlink()
    with pytest.raises(BadSignature, match=name):
        open_artifact(artifact, trust=trust)


def test_a_file_that_was_not_signed_is_refused(artifact: Path, trust: Trust):
    """An extra file, a hidden file and a folder."""
    for name in ("extra.py", ".hidden"):
        (artifact / name).write_text("")
        with pytest.raises(BadSignature, match=name):
            open_artifact(artifact, trust=trust)
        (artifact / name).unlink()
    (artifact / "folder").mkdir()
    with pytest.raises(BadSignature, match="folder"):
        open_artifact(artifact, trust=trust)


@pytest.mark.parametrize("name", [MODEL, MANIFEST, SIGNATURE])
def test_a_link_is_refused_even_to_the_right_bytes(artifact: Path, trust: Trust, tmp_path: Path, name):
    """Files are read in the folder and nowhere else."""
    shutil.copy(artifact / name, tmp_path / "outside")
    (artifact / name).unlink()
    (artifact / name).symlink_to(tmp_path / "outside")
    with pytest.raises(BadSignature, match=name):
        open_artifact(artifact, trust=trust)
    if name != MODEL:
        with pytest.raises(BadSignature, match=name):
            read_manifest(artifact, trust=trust)


def test_an_unknown_key_is_refused(artifact: Path, tmp_path: Path):
    """A valid signature of somebody else's is worth nothing."""
    Signer.open(tmp_path / "others")
    with pytest.raises(BadSignature, match="unknown key"):
        open_artifact(artifact, trust=Trust.of(tmp_path / "others"))


def test_another_artifact_in_a_folder_named_by_a_digest_is_refused(artifact, tiny, signer, trust, tmp_path):
    """A signed artifact cannot be put in another's place; under a plain name it can be kept anywhere."""
    other = write_artifact(artifact.parent, tiny.manifest(name="older"), tiny.files(), signer)
    shutil.rmtree(artifact)
    other.rename(artifact)
    with pytest.raises(DigestMismatch, match=artifact.name):
        open_artifact(artifact, trust=trust)
    artifact.rename(tmp_path / "model")
    assert open_artifact(tmp_path / "model", trust=trust).manifest.name == "older"


def test_a_newer_format_with_a_good_signature_is_refused(tiny, signer: Signer, trust: Trust, tmp_path: Path):
    """The message says to upgrade."""
    fields = json.loads(encode(tiny.manifest(files=list_files(tiny.files())))) | {"format": 3}
    folder = place(tmp_path / "newer", json.dumps(fields).encode(), tiny.files(), signer)
    with pytest.raises(UnknownFormat, match="Upgrade"):
        open_artifact(folder, trust=trust)


def test_a_newer_signature_format_is_refused(tiny, signer: Signer, trust: Trust):
    """Its number is looked at too."""
    record = json.loads(make_signature(b"m", signer)) | {"format": 2}
    with pytest.raises(UnknownFormat, match="2"):
        check_signature("a", b"m", json.dumps(record).encode(), trust)


def test_a_signed_manifest_cannot_name_files_elsewhere(tiny, signer: Signer, trust: Trust, tmp_path: Path):
    """A path that leaves the folder is not a file of it."""
    (tmp_path / "secret").write_text("s")
    entries = {**list_files(tiny.files()), "../secret": FileEntry("0" * 64, 1)}
    folder = place(tmp_path / "escaping", encode(tiny.manifest(files=entries)), tiny.files(), signer)
    with pytest.raises(DigestMismatch, match="secret"):
        open_artifact(folder, trust=trust)


def test_a_signed_folder_without_a_model_is_named(tiny, signer: Signer, trust: Trust, tmp_path: Path):
    """A signature does not make it an artifact."""
    files = {name: data for name, data in tiny.files().items() if name != MODEL}
    folder = place(tmp_path / "empty", encode(tiny.manifest(files=list_files(files))), files, signer)
    with pytest.raises(ArtifactError, match=MODEL):
        open_artifact(folder, trust=trust)


@pytest.mark.parametrize("labels", [b"{}", b'["one"]'])
def test_labels_that_do_not_fit_are_named(tiny, signer: Signer, trust: Trust, tmp_path: Path, labels):
    """Not a list, or not as many as the manifest says."""
    files = {**tiny.files(), LABELS: labels}
    folder = write_artifact(tmp_path / "a", tiny.manifest(), files, signer)
    with pytest.raises(ArtifactError, match=LABELS):
        open_artifact(folder, trust=trust)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, trust: Trust):
    """Absence is not a signature problem."""
    for read in (open_artifact, read_manifest):
        with pytest.raises(StoreUnavailable, match="nowhere"):
            read(tmp_path / "nowhere", trust=trust)
