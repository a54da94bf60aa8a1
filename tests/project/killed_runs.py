"""`distill` killed with SIGKILL at random moments: `killed_runs.py FOLDER LABELLING TRAINING EXPORT`.

A child is forked for each run, so that a kill falls into work and not into imports. So many of them die while
the teacher is asked, while a stage is trained, and while the artifact is made. Prints how many were killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import coffey.distill.chain
import coffey.export.export
import coffey.project.distilling  # noqa: F401 - imported once, for all children
from coffey.project.project import Project


def main(folder: Path, labelling: int, training: int, export: int) -> int:
    """How many runs were killed."""
    draw = random.Random(29)
    asked = folder / "asked.jsonl"

    def labels() -> int:
        return asked.read_bytes().count(b"\n") if asked.exists() else 0

    def checkpoints() -> set[tuple[int, int]]:
        return {written(path) for path in folder.glob(".coffey/stages/*/*/checkpoint.pt*")}

    killed = 0
    for _ in range(labelling):
        enough = labels() + draw.randint(24, 60)
        killed += kill_when(folder, lambda enough=enough: labels() >= enough, draw)
    for _ in range(training):
        seen = checkpoints()
        enough = len(seen) + draw.randint(2, 12)
        killed += kill_when(folder, lambda seen=seen, enough=enough: grown(seen, checkpoints(), enough), draw)
    for _ in range(export):
        killed += kill_when(folder, lambda: any(folder.glob(".coffey/stages/*/export/*.onnx")), draw)
    return killed


def grown(seen: set[tuple[int, int]], now: set[tuple[int, int]], enough: int) -> bool:
    """Whether enough distinct checkpoints were seen by now."""
    seen |= now
    return len(seen) >= enough


def written(path: Path) -> tuple[int, int]:
    """Tells one checkpoint from the next; the file may be gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def kill_when(folder: Path, reached: Callable[[], bool], draw: random.Random) -> bool:
    """Begin a run, wait until it has come so far and a little longer, kill it; False if it ended before."""
    child = os.fork()
    if not child:
        Project.load(folder / "coffey.toml").distill(report=False)
        os._exit(0)
    while not reached():
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


if __name__ == "__main__":
    sys.stdout.write(str(main(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
