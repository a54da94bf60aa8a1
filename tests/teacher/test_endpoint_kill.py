"""A process that is killed while requests are under way has kept every answer that came before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.teacher.labelling_endpoint import label
from tests.teacher.loopback import Response, completion, serving

from coffey.core.ids import input_key

SCRIPT = Path(__file__).with_name("labelling_endpoint.py")
TEXTS, KILLS = 200, 3
BEGUN = 2 * 4 + 4
"""Texts that are begun and not written down, at most: twice the concurrency, and a batch."""


def answer(number, body):
    draw = np.random.default_rng(int(input_key(body["messages"][-1]["content"]), 16)).dirichlet([1, 1, 1])
    tokens = dict(zip(("bad", "fine", "good"), (0.98 * draw + 0.005).tolist(), strict=True))
    return Response(completion(tokens=tokens).body, seconds=0.01)


@pytest.mark.slow
def test_a_kill_loses_no_more_than_what_is_under_way(tmp_path):
    """Killed three times and finished: the digest of an undisturbed run, and few texts asked again.

    What a kill may cost is what was under way, and what came in while the answers before it were written.
    """
    source = Path(sys.modules["coffey"].__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    with serving(answer) as server:
        for _ in range(KILLS):
            before = len(server.bodies)
            arguments = [sys.executable, str(SCRIPT), str(tmp_path / "killed"), server.url, str(TEXTS)]
            with subprocess.Popen(arguments, env=environment) as process:
                while len(server.bodies) < before + 30 and process.poll() is None:
                    time.sleep(0.005)
                process.send_signal(signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL
        killed = label(str(tmp_path / "killed"), server.url, str(TEXTS))
        asked = server.asked()
        assert killed == label(str(tmp_path / "whole"), server.url, str(TEXTS))
    assert set(asked) == {f"text {number}" for number in range(TEXTS)}
    assert len(asked) - TEXTS <= KILLS * BEGUN
