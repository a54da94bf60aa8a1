"""A run that is killed, at any moment, ends where it would have ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from coffey.core.ids import digest_file

SCRIPT = Path(__file__).with_name("kill_run.py")


def start(inputs: Path, folder: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(SCRIPT), str(inputs), str(folder)], env=environment)


def kill_after(process: subprocess.Popen[bytes], folder: Path, saves: int) -> bool:
    """SIGKILL the process once it has begun or replaced `saves` checkpoints; False if it ended before."""
    seen: set[tuple[str, int]] = set()
    while process.poll() is None:
        for path in folder.glob("*/*checkpoint.pt*"):
            try:
                seen.add((path.name, path.stat().st_ino))
            except FileNotFoundError:
                continue
        if len(seen) >= saves:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.001)
    assert process.returncode == 0
    return False


def students(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): digest_file(path) for path in folder.glob("*/student/*")}


@pytest.mark.slow
def test_killed_runs_end_in_the_same_students(request_for, task, tmp_path):
    """SIGKILL at several moments, while checkpoints are written too; the students are equal to the bit."""
    request = request_for({"epochs": 3.0, "checkpoint_seconds": 1e-6})
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    np.savez(inputs / "arrays.npz", teacher=request.teacher, hard=request.hard, validation=request.validation)
    task.tokenizer.save(str(inputs / "tokenizer.json"))
    spec = {
        "texts": request.texts,
        "keys": request.keys,
        "labels": request.labels,
        "stages": request.stages,
        "settings": asdict(request.settings),
    }
    (inputs / "spec.json").write_text(json.dumps(spec))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(inputs, whole).wait() == 0
    kills = sum(kill_after(start(inputs, killed), killed, saves) for saves in (3, 8, 15))
    assert kills >= 2
    assert start(inputs, killed).wait() == 0
    assert len(students(whole)) == 8
    assert students(killed) == students(whole)
