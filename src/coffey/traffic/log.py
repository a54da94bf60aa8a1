"""The traffic log of a server: `put` costs a few hundred nanoseconds and can neither wait nor fail.

One thread puts (the event loop), one thread writes. Each counter has exactly one writer, so that the sum is
exact without a lock: served = logged + dropped + pending, and pending is 0 after `flush` or `close`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from coffey.core.clock import monotonic
from coffey.core.records import TrafficRecord
from coffey.traffic.redaction import Redactor
from coffey.traffic.segment import SegmentWriter

BLOCK_RECORDS = 256
"""Records a block: encoding one holds the interpreter for about 0.1 ms, which requests do not notice."""
RETRY_SECONDS = (0.1, 2.0)
"""First and longest wait before a write that failed is tried again."""


class Writer(Protocol):
    """What the log needs of a segment; `SegmentWriter` is the one in use."""

    size: int

    def append(self, records: Sequence[TrafficRecord]) -> None:
        """Write one block or raise OSError, leaving the file as it was."""

    def seal(self) -> Path:
        """Complete the segment."""


@dataclass(frozen=True, slots=True)
class TrafficCounters:
    """What became of the records that were put."""

    served: int
    logged: int
    """Written to a segment."""
    dropped: int
    """Lost because the buffer was full, the log was closed, or the record could not be encoded."""
    pending: int
    """In the buffer, or in the hand of the writer."""
    failures: int = 0
    """Writes that failed (and were tried again)."""
    last_error: str | None = None
    redaction_failures: int = 0
    """Texts that were dropped because the user's redaction failed on them."""


class TrafficLog:
    """Appends served requests to segments in `folder`, from a thread of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        buffer: int = 8192,
        rotate_seconds: float = 60.0,
        rotate_bytes: int = 16 * 1024 * 1024,
        flush_seconds: float = 0.1,
        open_segment: Callable[[Path], Writer] = SegmentWriter.create,
        redactor: Redactor | None = None,
    ) -> None:
        """Start the writer.

        Args:
            folder: where segments go; made on the first write, on which nothing waits.
            buffer: records that may wait for the writer before new ones are dropped and counted.
            rotate_seconds: age at which a segment is sealed, so that `tick` can compact it.
            rotate_bytes: size at which a segment is sealed.
            flush_seconds: longest time a record waits before it is written, while the disk keeps up.
            open_segment: makes the next segment; another one is given by tests of failing disks.
            redactor: decides what is kept of texts; it works in the writer's thread, before anything is
                written. Texts are kept when absent.
        """
        self._folder = folder
        self._buffer = buffer
        self._rotate_seconds = rotate_seconds
        self._rotate_bytes = rotate_bytes
        self._flush_seconds = flush_seconds
        self._open_segment = open_segment
        self._redactor = redactor or Redactor(None)
        self._queue: deque[TrafficRecord] = deque()
        self._hand: list[TrafficRecord] = []
        self._segment: Writer | None = None
        self._opened_at = 0.0
        self._served = self._refused = self._logged = self._lost = self._failures = 0
        self._last_error: str | None = None
        self._wake = threading.Event()
        self._seal_asked = False
        self._closing = threading.Event()
        self._settling = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="traffic-log", daemon=True)
        self._thread.start()

    def put(self, record: TrafficRecord) -> bool:
        """Take a record if there is room. Never waits, never raises. Call it from one thread.

        Returns:
            False when the record was dropped (and counted).
        """
        self._served += 1
        waiting = len(self._queue)
        if self._closing.is_set() or waiting >= self._buffer:
            self._refused += 1
            return False
        self._queue.append(record)
        if waiting == self._buffer // 2:
            self._wake.set()
        return True

    def counters(self) -> TrafficCounters:
        """The counters now; `pending` may be off by a block while the writer is at work."""
        return TrafficCounters(
            served=self._served,
            logged=self._logged,
            dropped=self._refused + self._lost,
            pending=len(self._queue) + len(self._hand),
            failures=self._failures,
            last_error=self._last_error,
            redaction_failures=self._redactor.failures,
        )

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until nothing is pending; False when the disk does not keep up within `timeout_s`."""
        until = monotonic() + timeout_s
        while self._served > self._logged + self._refused + self._lost:
            if monotonic() > until:
                return False
            self._wake.set()
            threading.Event().wait(0.005)
        return True

    def seal(self) -> None:
        """Ask the writer to write what is pending and to complete the segment soon."""
        self._seal_asked = True
        self._wake.set()

    def close(self, timeout_s: float = 5.0) -> TrafficCounters:
        """Write what is pending, seal, stop. What a stalled disk does not take in time counts as dropped.

        A block that such a disk was writing at that moment may be found in the segment all the same.
        """
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s)
        with self._settling:
            self._lost += len(self._hand) + len(self._queue)
            self._hand = []
            self._queue.clear()
        return self.counters()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            closing, seal = self._closing.is_set(), self._seal_asked
            self._seal_asked = False
            while self._queue:
                self._take()
                self._write()
            if closing or seal or self._is_due():
                self._seal()
            if closing:
                return

    def _take(self) -> None:
        hand = self._hand
        while self._queue and len(hand) < BLOCK_RECORDS:
            hand.append(self._queue.popleft())
            hand[-1] = self._redactor.record(hand[-1])

    def _write(self) -> None:
        """Write what is in hand, trying again for as long as the log is open."""
        wait, longest = RETRY_SECONDS
        while True:
            hand = self._hand
            try:
                self._append(hand)
            except ValueError:
                self._append_encodable(hand)
                return
            except Exception as exc:  # noqa: BLE001 - the edge of the thread: a disk never ends the log
                self._failed(exc)
                self._seal()  # a file that failed is not trusted with more
                if self._closing.is_set():
                    self._settle(hand, written=0)
                    return
                self._closing.wait(wait)
                wait = min(2 * wait, longest)
            else:
                self._settle(hand, written=len(hand))
                return

    def _append(self, records: Sequence[TrafficRecord]) -> None:
        if self._segment is None:
            self._segment = self._open_segment(self._folder)
            self._opened_at = monotonic()
        self._segment.append(records)
        if self._segment.size >= self._rotate_bytes:
            self._seal()

    def _append_encodable(self, hand: list[TrafficRecord]) -> None:
        """Write one record a block, so that only those that cannot be encoded are lost."""
        written = 0
        for record in hand:
            try:
                self._append([record])
                written += 1
            except (ValueError, OSError) as exc:
                self._failed(exc)
        self._settle(hand, written=written)

    def _settle(self, hand: list[TrafficRecord], *, written: int) -> None:
        with self._settling:
            if self._hand is hand:  # else `close` has counted it already
                self._logged += written
                self._lost += len(hand) - written
                self._hand = []

    def _is_due(self) -> bool:
        return self._segment is not None and monotonic() - self._opened_at >= self._rotate_seconds

    def _seal(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            segment.seal()
        except OSError as exc:
            self._failed(exc)

    def _failed(self, exc: Exception) -> None:
        self._failures += 1
        self._last_error = f"{type(exc).__name__}: {exc}"
