"""Ticks and a server of one store, killed with SIGKILL at random moments: `chaos.py CONFIG KILLS SEED`.

Both are forked, so that a kill falls into work and not into imports. The server is asked all the time. After
each kill the store is looked at as a server that starts would: every alias names an artifact that verifies.
Prints one JSON object: what was killed, and which texts were answered.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import coffey.project.ticking  # noqa: F401 - imported once, for all children
from coffey.artifact.read import open_artifact
from coffey.control.journal import FINISHED
from coffey.project.project import Project
from coffey.project.serving import serve_champion
from coffey.project.ticking import control_journal
from coffey.serve.workers import run_workers

LONGEST_S = 1.6
"""Processor time of a tick that is to be killed, at most: a busy machine gives it longer to come as far."""

PAUSE_S = 0.03
"""Between two requests."""


def forked(work: Callable[[], object]) -> int:
    """A child that does its work and leaves; its errors are told."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - told, and the exit code says so
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


class Server:
    """A server in a child, until it is killed."""

    def __init__(self, config: Path) -> None:
        read, write = os.pipe()
        settings = Project.load(config).settings
        options = serve_champion(
            replace(settings, serve=replace(settings.serve, port=0)), folder=config.parent
        )
        self.pid = forked(
            lambda: run_workers(options, on_ready=lambda port: os.write(write, f"{port}\n".encode()))
        )
        os.close(write)
        with os.fdopen(read) as said:
            self.port = int(said.readline())

    def ask(self, text: str) -> bool:
        """Whether it answered."""
        body = json.dumps({"inputs": [text]}).encode()
        url = f"http://127.0.0.1:{self.port}/v1/predict"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False


def is_running(child: int) -> bool:
    """Whether a child is still at work; one that ended is buried."""
    return os.waitpid(child, os.WNOHANG)[0] == 0


def worked_s(child: int) -> float:
    """Processor time that a child has had (Linux)."""
    told = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def kill(child: int) -> bool:
    """Whether the child was killed, and had not ended before."""
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def check_aliases(config: Path) -> None:
    """Each names an artifact that is there, whole and signed.

    Raises:
        ArtifactError, UnknownVersion: it does not.
    """
    space = Project.load(config).workspace
    for name in space.registry.aliases():
        open_artifact(space.store / space.registry.resolve(name).artifact, trust=space.trust)


def main(config: Path, kills: int, seed: int) -> dict[str, object]:
    """Kill so often; what was killed, whether within a re-distillation, and which texts were answered."""
    draw = random.Random(seed)
    texts = [json.loads(line) for line in (config.parent / "chaos.jsonl").read_text().splitlines()]
    killed: Counter[str] = Counter()
    answered: list[str] = []
    journal = control_journal(Project.load(config).workspace)
    server = Server(config)
    while killed.total() < kills:
        mending = journal.last(FINISHED) is None
        ticking = forked(lambda: Project.load(config).tick())
        enough, alive = draw.uniform(0, LONGEST_S), True
        while worked_s(ticking) < enough and (alive := is_running(ticking)):
            text = draw.choice(texts)
            answered += [text] if server.ask(text) else []
            time.sleep(PAUSE_S)
        if draw.random() < 0.5:
            killed["server"] += kill(server.pid)
            check_aliases(config)
            server = Server(config)
        if alive:
            struck = kill(ticking)
            killed["tick, re-distilling" if mending else "tick"] += struck
            check_aliases(config)
    os.kill(server.pid, signal.SIGTERM)
    os.waitpid(server.pid, 0)
    return {"killed": dict(killed), "answered": answered}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
