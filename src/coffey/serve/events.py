"""Lifecycle events as one JSON object a line: started, ready, swapped, draining, stopped."""

from __future__ import annotations

import json
import logging
import sys
from typing import Protocol, TextIO

from coffey.core.clock import utc_now


class Events(Protocol):
    """Hears what happens to the server; never what happens to a request."""

    def __call__(self, event: str, **details: object) -> None:
        """`event` happened."""


class JsonEvents:
    """Writes events to a stream, standard error unless told otherwise."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream

    def __call__(self, event: str, **details: object) -> None:
        """Write one line; a closed stream is no reason to stop serving."""
        line = json.dumps({"time": utc_now(), "event": event, **details}, ensure_ascii=False, default=str)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class EventHandler(logging.Handler):
    """Turns what a library logs into events."""

    def __init__(self, events: Events) -> None:
        super().__init__(level=logging.ERROR)
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's message, and its exception where there is one."""
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        self._events("library_error", logger=record.name, message=record.getMessage(), trace=trace)
