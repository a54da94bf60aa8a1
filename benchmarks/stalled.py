"""`coffey`, with a traffic log whose disk takes nothing while the file of the first argument is there."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from coffey.__main__ import main
from coffey.core.records import TrafficRecord
from coffey.serve import server
from coffey.traffic.log import TrafficLog
from coffey.traffic.segment import SegmentWriter


class Stalling:
    """A segment on that disk: real, but for the time that a write takes."""

    def __init__(self, stalled: Path, folder: Path) -> None:
        self._stalled = stalled
        self._inner = SegmentWriter.create(folder)

    @property
    def size(self) -> int:
        return self._inner.size

    def append(self, records: Sequence[TrafficRecord]) -> None:
        while self._stalled.exists():
            time.sleep(0.01)
        self._inner.append(records)

    def seal(self) -> Path:
        return self._inner.seal()


if __name__ == "__main__":
    flag = Path(sys.argv.pop(1))
    open_segment = functools.partial(Stalling, flag)
    server.TrafficLog = functools.partial(TrafficLog, open_segment=open_segment)  # type: ignore[misc,assignment]
    sys.exit(main())
