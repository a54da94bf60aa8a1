"""A source is a folder, a cached hub repository, or an error that says what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coffey.core.errors import ConfigError, TeacherUnavailable
from coffey.teacher.snapshot import locate

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_local_folder_is_named_by_the_digests_of_its_files(classifier):
    """No path is part of its identity."""
    found = locate(str(classifier), revision=None)
    assert found.folder == classifier
    assert "model.safetensors" in found.identity["files"]
    assert str(classifier.parent) not in json.dumps(found.identity)


def test_a_repository_that_is_neither_cached_nor_reachable_says_what_to_do():
    """Offline and not cached: the command that downloads it."""
    with pytest.raises(TeacherUnavailable, match="hf download nobody/nothing"):
        locate("nobody/nothing", revision="main")


@pytest.mark.parametrize("source", ["./absent/folder", "/absent/folder/of/mine", "a b"])
def test_a_missing_folder_is_not_taken_for_a_hub_id(source):
    """Paths are not asked of the hub."""
    with pytest.raises(TeacherUnavailable, match="no such folder"):
        locate(source, revision=None)


def test_a_folder_without_weights_is_refused(tmp_path, classifier):
    """What is lacking is named."""
    shutil.copy(classifier / "config.json", tmp_path)
    with pytest.raises(TeacherUnavailable, match="safetensors"):
        locate(str(tmp_path), revision=None)


def test_a_local_folder_has_no_revision(classifier):
    """A setting without effect is an error."""
    with pytest.raises(ConfigError, match=r"teacher\.revision"):
        locate(str(classifier), revision="main")


@pytest.mark.slow
def test_a_cached_repository_is_named_by_its_commit_and_works_offline(tmp_path, classifier):
    """A branch resolves to the commit that is cached; the same by the commit itself."""
    repository = tmp_path / "hub" / "models--some--teacher"
    shutil.copytree(classifier, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    code = (
        "from coffey.teacher.checkpoint import CheckpointTeacher as T\n"
        "import json, sys\n"
        "made = [T.load('some/teacher', revision=r, threads=1) for r in (None, 'main', sys.argv[1])]\n"
        "found = [[t.header['checkpoint'], t.fingerprint, t.predict(['good']).shape] for t in made]\n"
        "print(json.dumps(found))"
    )
    source = Path(sys.modules["coffey"].__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", code, COMMIT],
        env=os.environ
        | {"PYTHONPATH": str(source), "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(ran.stdout)
    assert found[0] == found[1] == found[2]
    assert found[0][0] == {"hub": "some/teacher", "commit": COMMIT}
    assert ran.stderr == "", "loading is quiet"
