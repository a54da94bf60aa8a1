from __future__ import annotations

import io
import json
import threading

from coffey.serve.access import AccessLine, AccessLog

LINE = AccessLine(time=1.0, route="predict", status=200, ms=0.5, id="a", request_id=None, traceparent=None)


class Stuck(io.StringIO):
    """A stream whose reader has stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.released = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        self.released.wait(20)
        return super().write(text)


def test_lines_are_json_in_their_order() -> None:
    """Nothing is lost when the log is closed."""
    stream = io.StringIO()
    log = AccessLog(stream)
    for number in range(500):
        log.put(AccessLine(**{**{f: getattr(LINE, f) for f in LINE.__slots__}, "status": number}))
    log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["status"] for line in lines] == list(range(500))
    assert lines[0]["event"] == "request"


def test_a_stream_that_nobody_reads_costs_lines_and_no_time() -> None:
    """The buffer fills, what comes then is counted, and `put` has waited for nothing."""
    stream = Stuck()
    log = AccessLog(stream, buffer=10, flush_seconds=0.001)
    log.put(LINE)
    assert stream.entered.wait(20)
    for _ in range(25):
        log.put(LINE)
    assert log.dropped == 15
    stream.released.set()
    log.close()
    assert len(stream.getvalue().splitlines()) == 11


def test_a_closed_stream_ends_nothing() -> None:
    """What cannot be written is counted."""
    stream = io.StringIO()
    stream.close()
    log = AccessLog(stream)
    log.put(LINE)
    log.close()
    assert log.dropped == 1
