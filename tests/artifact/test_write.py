"""An artifact appears whole or not at all, and never changes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from coffey.artifact import write
from coffey.artifact.manifest import MANIFEST, MODEL, SIGNATURE, digest
from coffey.artifact.read import open_artifact
from coffey.artifact.signing import Signer, Trust
from coffey.artifact.write import CONTENTS, write_artifact
from coffey.core.errors import StoreUnavailable


def test_the_folder_is_named_by_the_manifests_digest(artifact: Path):
    """And holds exactly the listed files, the manifest and the signature, none of them writable."""
    assert artifact.name == digest((artifact / MANIFEST).read_bytes())
    assert {path.name for path in artifact.iterdir()} == CONTENTS | {MANIFEST, SIGNATURE}
    assert all(path.stat().st_mode & 0o222 == 0 for path in artifact.iterdir())
    assert [path.name for path in artifact.parent.iterdir()] == [artifact.name]


def test_writing_the_same_twice_changes_nothing(artifact: Path, tiny, signer: Signer):
    """The first one stays, with its signature (a second signature would differ)."""
    before = {path.name: path.read_bytes() for path in artifact.iterdir()}
    assert write_artifact(artifact.parent, tiny.manifest(), tiny.files(), signer) == artifact
    assert {path.name: path.read_bytes() for path in artifact.iterdir()} == before


def test_two_writers_of_the_same_artifact_both_succeed(tmp_path, tiny, signer, trust, monkeypatch):
    """Whoever renames second finds the first one's folder and leaves it."""
    first = write_artifact(tmp_path / "a", tiny.manifest(), tiny.files(), signer)
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path.name != first.name and real(path))
    assert write_artifact(tmp_path / "a", tiny.manifest(), tiny.files(), signer) == first
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    open_artifact(first, trust=trust)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, tiny, signer: Signer, monkeypatch):
    """The error names the folder; no half artifact, no scratch folder."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(write.os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        write_artifact(tmp_path / "artifacts", tiny.manifest(), tiny.files(), signer)
    assert list((tmp_path / "artifacts").iterdir()) == []


def test_a_rename_that_fails_is_reported(tmp_path: Path, tiny, signer: Signer, monkeypatch):
    """Only "it is there already" is fine."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StoreUnavailable, match="Permission denied"):
        write_artifact(tmp_path / "artifacts", tiny.manifest(), tiny.files(), signer)


def test_a_process_killed_while_writing_leaves_no_artifact(tmp_path: Path, tiny, signer, trust):
    """After a kill before the rename there is no digest-named folder, and the next writer succeeds."""
    folder = write_artifact(tmp_path / "made", tiny.manifest(), tiny.files(), signer)
    code = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from coffey.artifact import write
        from coffey.artifact.manifest import MANIFEST, decode
        from coffey.artifact.signing import Signer
        made, root, keys = map(Path, sys.argv[1:])
        write._appear = lambda *_: os.kill(os.getpid(), 9)
        files = {name: (made / name).read_bytes() for name in write.CONTENTS}
        manifest = decode((made / MANIFEST).read_bytes(), "m")
        write.write_artifact(root, manifest, files, Signer.open(keys))
        """
    )
    root = tmp_path / "killed"
    done = subprocess.run([sys.executable, "-c", code, folder, root, tmp_path / "keys"], check=False)
    assert done.returncode == -9
    assert not [path for path in root.iterdir() if not path.name.startswith(".")]
    again = write_artifact(root, tiny.manifest(), tiny.files(), signer)
    assert open_artifact(again, trust=trust).digest == folder.name


def test_other_files_than_the_three_are_refused(tmp_path: Path, tiny, signer: Signer):
    """The format says what an artifact holds."""
    with pytest.raises(ValueError, match="expected exactly"):
        write_artifact(tmp_path, tiny.manifest(), {MODEL: b""}, signer)


def test_a_trusted_reader_elsewhere_needs_only_the_public_key(artifact: Path, tmp_path: Path, signer: Signer):
    """A serving machine holds no private key."""
    (tmp_path / "server" / "trusted").mkdir(parents=True)
    (tmp_path / "server" / "trusted" / "maker.pem").write_bytes(signer.public_pem())
    assert open_artifact(artifact, trust=Trust.of(tmp_path / "server")).digest == artifact.name
