"""The demo's traffic goes over HTTP to a real server, and every answer is counted."""

from __future__ import annotations

import sys

import pytest

from coffey.bench.server_process import ServerProcess
from coffey.core.progress import Silent
from coffey.project.demo.replay import replay


@pytest.mark.slow
def test_every_request_is_answered_by_the_champion(live):
    """Each text is one request; the next tick finds each of them in the traffic log, once."""
    texts = live.known(40, seed=131)
    command = [sys.executable, "-m", "coffey", "serve", "-c", str(live.config), "--port", "0", "--json"]
    with ServerProcess(command) as server:
        found = replay(f"http://{server.host}:{server.port}", texts, task="replay", progress=Silent())
    digest = live.load().workspace.registry.resolve("champion").digest
    assert (found.sent, found.failed, found.models) == (40, 0, {digest: 40})
    report = live.load().tick()
    assert report.requests == 40
    assert 0 < report.audited < 40, "the server drew lots, with the configured probability of a half"


def test_what_is_not_answered_is_counted(tmp_path):
    """Nobody listens: every request failed, none is tried again, nothing is raised."""
    found = replay("http://127.0.0.1:9", ["a", "b", "c"], task="replay", progress=Silent())
    assert (found.sent, found.failed, found.models) == (3, 3, {})
