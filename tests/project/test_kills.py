"""A whole run that is killed at random moments, or goes on elsewhere, ends as one that was left alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coffey.project.labelling import RECHECKED

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("killed_runs.py")
BATCH = 8
FIRST, SECOND = "layers=1,width=64,heads=2,vocabulary=400", "layers=1,width=32,heads=1,vocabulary=400"


@pytest.fixture(scope="module")
def chain(distilled, tmp_path_factory):
    """A project with two stages and a teacher that takes its time, in which nothing was done."""
    made = distilled.copy(tmp_path_factory.mktemp("chain") / "project")
    shutil.rmtree(made.store)
    made.edit(f'"{SECOND}"', f'"{FIRST}", "{SECOND}"')
    made.edit("epochs = 16", "epochs = 3\nvalidation = 0.3\ncheckpoint_seconds = 1e-6")
    made.edit("threads = 1\ncost", f"threads = 1\nbatch_size = {BATCH}\ncost")
    teacher = made.folder / "small_teacher.py"
    slow = teacher.read_text().replace("def answer(texts):", "def answer(texts):\n    time.sleep(0.02)")
    teacher.write_text(slow.replace("import pathlib", "import pathlib\nimport time"))
    return made


@pytest.fixture(scope="module")
def undisturbed(chain, tmp_path_factory):
    """The same, distilled without a break."""
    made = chain.copy(tmp_path_factory.mktemp("undisturbed") / "project")
    return made, made.load().distill(report=False)


def killed(project, *counts: int) -> int:
    """Kill so many runs of a project (while labelling, training, exporting); how many died."""
    arguments = [str(project.folder), *map(str, counts)]
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments], stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


def decisions(project) -> list[dict[str, object]]:
    """What the journal of the only run holds of stages that were kept or dropped."""
    events = [json.loads(path.read_text()) for path in sorted(project.store.glob("stages/*/journal/*.json"))]
    return [event["result"] for event in events if event["state"] in ("kept", "dropped")]


def same(result, project, undisturbed) -> None:
    """Model, tokenizer, labels, teacher's answers, quality and decisions are those of the undisturbed run."""
    whole, expected = undisturbed
    assert result.student.content == expected.student.content
    assert result.student.agreement == expected.student.agreement
    assert result.labelling.digest == expected.labelling.digest
    assert result.proof.decisions == expected.proof.decisions
    assert decisions(project) == decisions(whole)
    assert len(decisions(whole)) == 1


def test_ten_kills_change_nothing_and_cost_at_most_a_batch_each(chain, undisturbed, tmp_path):
    """SIGKILL ten times, then finished: the same bytes, and a batch of the teacher at most for each kill.

    Every run that finds stored answers asks a few of them again on purpose; those are counted apart.
    """
    project = chain.copy(tmp_path / "killed")
    kills = killed(project, 4, 5, 1)
    assert kills == 10
    result = project.load().distill(report=False)
    same(result, project, undisturbed)
    rows = len(set(project.asked()))
    assert rows == len(set(undisturbed[0].asked()))
    assert len(project.asked()) - rows <= kills * BATCH + (kills + 1) * RECHECKED


def test_a_run_goes_on_in_another_place(chain, undisturbed, tmp_path):
    """The store of a run that died half-way is copied into another folder: nothing finished is done again."""
    here = chain.copy(tmp_path / "here")
    assert killed(here, 0, 3, 0) == 3
    there = chain.copy(tmp_path / "there" / "deeper")
    shutil.move(here.store, there.store)
    shutil.rmtree(here.folder)
    result = there.load().distill(report=False)
    same(result, there, undisturbed)
    assert result.stages[0].resumed
    assert len(there.asked()) == RECHECKED
