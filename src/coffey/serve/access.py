"""The access log: one JSON object a request, written by a thread of its own.

Like the traffic log it never slows or fails a request: what does not fit into the buffer, because whoever
reads the stream has stopped reading, is dropped and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol, TextIO

import msgspec

FLUSH_SECONDS = 0.1
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One answered or refused request."""

    time: float
    """Seconds since 1970."""
    route: str
    status: int
    ms: float
    """From the packet that completed the headers to the answer on the socket."""
    id: str | None
    """The request's id in the traffic log; None when it was refused."""
    request_id: str | None
    """`x-request-id`, as the client sent it."""
    traceparent: str | None
    """W3C trace context, as the client sent it."""
    event: str = "request"


class Sink(Protocol):
    """Hears of every request, from one thread; never waits, never raises."""

    def put(self, line: AccessLine) -> None:
        """Take a line."""

    def close(self) -> None:
        """Write what is there."""


class AccessLog:
    """Writes lines to a stream. `put` belongs to one thread."""

    def __init__(self, stream: TextIO, *, buffer: int = 8192, flush_seconds: float = FLUSH_SECONDS) -> None:
        """Start the writer."""
        self.dropped = 0
        """Lines that did not fit."""
        self._stream = stream
        self._buffer = buffer
        self._flush_seconds = flush_seconds
        self._queue: deque[AccessLine] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def put(self, line: AccessLine) -> None:
        """Take a line if there is room. Never waits, never raises."""
        if len(self._queue) < self._buffer:
            self._queue.append(line)
        else:
            self.dropped += 1

    def close(self, timeout_s: float = 1.0) -> None:
        """Write what is there; a stream that nobody reads is left behind."""
        self._closing.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.wait(self._flush_seconds):
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [self._queue.popleft() for _ in range(len(self._queue))]
        if not lines:
            return
        try:
            self._stream.write("".join(_encode(line).decode() + "\n" for line in lines))
            self._stream.flush()
        except (OSError, ValueError):
            self.dropped += len(lines)
