"""Labelling that is killed with SIGKILL ends with the store of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coffey.core.ids import input_key
from coffey.teacher.asking import ask
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import FixedTeacher

SCRIPT = Path(__file__).with_name("labelling.py")
BATCH = 4


def start(root: Path, log: Path, *, texts: int, seconds: float = 0.0, die_at: int = 0) -> subprocess.Popen:
    arguments = [root, log, texts, BATCH, seconds, die_at]
    source = Path(sys.modules["coffey"].__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
    )


def asked(log: Path) -> list[str]:
    return log.read_text().split() if log.exists() else []


def finish(root: Path, log: Path, texts: int) -> str:
    teacher = FixedTeacher(log=log)
    every = [f"text {i}" for i in range(texts)]
    return ask(teacher, LabelStore.open(root, teacher), every, batch_size=BATCH, window=100).digest


def undisturbed(root: Path, texts: int) -> str:
    return finish(root, root / "log", texts)


@pytest.mark.slow
def test_ten_kills_at_random_moments_lose_at_most_one_batch_each(tmp_path):
    """Killed ten times, then finished: same digest, and at most one batch asked again for every kill."""
    texts, log, root = 1600, tmp_path / "log", tmp_path / "store"
    draw = random.Random(11)
    kills = 0
    for _ in range(10):
        before = len(asked(log))
        with start(root, log, texts=texts, seconds=0.004) as process:
            while len(asked(log)) == before and process.poll() is None:
                time.sleep(0.005)
            time.sleep(draw.uniform(0, 0.2))
            process.send_signal(signal.SIGKILL)
        kills += process.returncode == -signal.SIGKILL
    assert kills == 10, "every process was killed while it was at work"
    assert len(set(asked(log))) < texts, "and some work was left"
    digest = finish(root, log, texts)
    assert digest == undisturbed(tmp_path / "whole", texts)
    assert set(asked(log)) == {input_key(f"text {i}") for i in range(texts)}
    assert len(asked(log)) <= texts + kills * BATCH


@pytest.mark.slow
# A batch makes three changes (flush, rename, flush of the folder) after the four of the header; the merge of
# 32 shards makes changes 101 to 135: flush, rename, flush, 32 removals.
@pytest.mark.parametrize("change", [1, 3, 5, 6, 7, 99, 101, 102, 103, 104, 135])
def test_a_kill_at_any_change_of_the_file_system_loses_at_most_one_batch(tmp_path, change):
    """Before, between and after every step of a commit and of a merge."""
    texts, log, root = 36 * BATCH, tmp_path / "log", tmp_path / "store"
    with start(root, log, texts=texts, die_at=change) as process:
        process.wait(60)
    assert process.returncode == -signal.SIGKILL
    digest = finish(root, log, texts)
    assert digest == undisturbed(tmp_path / "whole", texts)
    assert len(asked(log)) <= texts + BATCH


@pytest.mark.slow
def test_two_processes_at_once_end_with_one_store(tmp_path):
    """Both are safe; what both asked has one answer."""
    texts, root = 400, tmp_path / "store"
    logs = [tmp_path / "one", tmp_path / "two"]
    running = [start(root, log, texts=texts, seconds=0.002) for log in logs]
    assert [process.wait(120) for process in running] == [0, 0]
    final = tmp_path / "three"
    assert finish(root, final, texts) == undisturbed(tmp_path / "whole", texts)
    assert asked(final) == []
