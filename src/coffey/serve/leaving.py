"""uvicorn's server, leaving with exit code 0 when it was asked to."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator

import uvicorn


class LeavingServer(uvicorn.Server):
    """As uvicorn's, but a signal that was obeyed is not raised again, so that the exit code is 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """SIGINT and SIGTERM go to `handle_exit` while the server runs."""
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in handlers:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
