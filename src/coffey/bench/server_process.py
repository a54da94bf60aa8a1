"""A real server in a process of its own, for as long as it is measured."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from coffey.core.clock import monotonic
from coffey.core.errors import NotReady, ServeError
from coffey.traffic.ledger import Ledger, read_ledger

_START_S = 60.0
_STOP_S = 15.0
_POLL_S = 0.05
_METRICS_S = 10.0


def serve_command(artifact: Path) -> list[str]:
    """The command that serves one artifact with defaults on a free port, and says which in one JSON line."""
    return [sys.executable, "-m", "coffey", "serve", str(artifact), "--no-config", "--port", "0", "--json"]


class ServerProcess:
    """Starts `command`, waits until it is ready, and ends it with SIGTERM when the context is left.

    The command prints one JSON line with `port` and answers `GET /v2/health/ready` with 200 when it serves.
    """

    def __init__(self, command: Sequence[str], *, core: int | None = None) -> None:
        """Only remember what to start; `core` is the CPU core it will be kept on."""
        self._command = list(command)
        self._core = core
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self.host = "127.0.0.1"
        self.port = 0

    def __enter__(self) -> ServerProcess:
        """Start it.

        Raises:
            NotReady: it ended, or was not ready within a minute; with the end of its stderr.
        """
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=self._errors)
        if self._core is not None:
            os.sched_setaffinity(self._process.pid, {self._core})
        try:
            deadline = monotonic() + _START_S
            self.port = self._read_port(deadline)
            self._wait_until_ready(deadline)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """End it: SIGTERM, and SIGKILL when it does not leave."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        if self._errors is not None:
            self._errors.close()

    @property
    def pid(self) -> int:
        """The process that was started."""
        assert self._process is not None
        return self._process.pid

    def ledger(self) -> Ledger:
        """Where the time of the requests so far went.

        Raises:
            ServeError: the server does not say.
        """
        url = f"http://{self.host}:{self.port}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=_METRICS_S) as answer:
                return read_ledger(answer.read().decode())
        except OSError as exc:
            raise ServeError(f"The server's metrics at {url} cannot be read: {exc}.") from exc

    def resident_bytes(self) -> int | None:
        """Memory that the server's process holds now; None where the system does not say."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _read_port(self, deadline: float) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - monotonic()))
            read = os.read(self._process.stdout.fileno(), 1) if ready else b""
            if not read:
                raise self._not_ready("it said no port")
            line += read
        try:
            return int(json.loads(line)["port"])
        except (ValueError, KeyError, TypeError) as exc:
            raise self._not_ready(f"it said {line!r} instead of its port") from exc

    def _wait_until_ready(self, deadline: float) -> None:
        url = f"http://{self.host}:{self.port}/v2/health/ready"
        assert self._process is not None
        while monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(url, timeout=1.0) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            select.select([], [], [], _POLL_S)
        raise self._not_ready("it was not ready in time")

    def _not_ready(self, reason: str) -> NotReady:
        assert self._errors is not None
        self._errors.seek(0)
        tail = self._errors.read()[-2000:].decode(errors="replace")
        return NotReady(f"Server {' '.join(self._command)!r} did not start: {reason}.\n{tail}")
