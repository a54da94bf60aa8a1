"""A project's server beside the loop: started, and waited for."""

from __future__ import annotations

import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coffey.bench.server_process import ServerProcess
from coffey.core.clock import monotonic
from coffey.core.errors import ServeError

_WAIT_S = 60.0


@contextmanager
def server_of(config: Path) -> Iterator[str]:
    """The URL of `coffey serve` for a project, in a process of its own."""
    command = [sys.executable, "-m", "coffey", "serve", "--config", str(config), "--port", "0", "--json"]
    with ServerProcess(command) as server:
        yield f"http://{server.host}:{server.port}"


def wait_logged(url: str) -> None:
    """Until every answered request is in the traffic log."""
    _wait(lambda: _metric(url, "coffey_traffic_pending") == 0, "the traffic log to be written")


def wait_served(url: str, digest: str) -> None:
    """Until the server answers with this model."""
    _wait(lambda: digest in _metrics(url), f"the server to follow the champion {digest[:12]}")


def _wait(done: Callable[[], bool], what: str) -> None:
    deadline = monotonic() + _WAIT_S
    while not done():
        if monotonic() > deadline:
            raise ServeError(f"Waited {_WAIT_S:g} s for {what}. Look at the server's log, then run again.")
        time.sleep(0.1)


def _metrics(url: str) -> str:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def _metric(url: str, name: str) -> float:
    for line in _metrics(url).splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    raise ServeError(f"The server has no metric {name!r}.")
