from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path

from coffey.core.records import TrafficRecord
from coffey.traffic.log import TrafficLog
from coffey.traffic.segment import SegmentWriter, read_segment


def stored(folder: Path) -> list[TrafficRecord]:
    return [r for path in sorted(folder.glob("*.seg")) for r in read_segment(path).records]


class StalledWriter:
    """A disk that does not answer until it is released."""

    def __init__(self, folder: Path, released: threading.Event) -> None:
        self._inner = SegmentWriter.create(folder)
        self._released = released

    @property
    def size(self) -> int:
        return self._inner.size

    def append(self, records: Sequence[TrafficRecord]) -> None:
        self._released.wait()
        self._inner.append(records)

    def seal(self) -> Path:
        return self._inner.seal()


def test_everything_put_is_logged_after_close(tmp_path: Path, make_records) -> None:
    """With a disk that works nothing is dropped, and the segments hold exactly what was put."""
    records = make_records(3000)
    log = TrafficLog(tmp_path)
    assert all(log.put(record) for record in records)
    counters = log.close()
    assert (counters.served, counters.logged, counters.dropped, counters.pending) == (3000, 3000, 0, 0)
    assert stored(tmp_path) == records


def test_a_stalled_disk_drops_and_counts_but_never_waits(tmp_path: Path, make_records) -> None:
    """While the disk is stalled more than the buffer is dropped and counted; what was taken is written."""
    released = threading.Event()
    log = TrafficLog(
        tmp_path, buffer=100, flush_seconds=0.01, open_segment=lambda f: StalledWriter(f, released)
    )
    records = make_records(1000)
    taken = [record for record in records if log.put(record)]
    assert not log.flush(timeout_s=0.2)
    stalled = log.counters()
    assert stalled.logged == 0
    assert stalled.dropped == 1000 - len(taken) > 0
    assert stalled.served == stalled.logged + stalled.dropped + stalled.pending
    released.set()
    counters = log.close()
    assert counters.served == counters.logged + counters.dropped == 1000
    assert stored(tmp_path) == taken


def test_closing_over_a_stalled_disk_ends_and_counts_the_rest_as_dropped(
    tmp_path: Path, make_records
) -> None:
    """A server whose disk hangs can stop; its counters still add up."""
    released = threading.Event()
    log = TrafficLog(tmp_path, flush_seconds=0.01, open_segment=lambda f: StalledWriter(f, released))
    for record in make_records(500):
        log.put(record)
    counters = log.close(timeout_s=0.2)
    assert (counters.served, counters.logged, counters.dropped) == (500, 0, 500)
    assert not log.put(make_records(1)[0])
    released.set()
    log._thread.join(5)
    assert log.counters().served == log.counters().logged + log.counters().dropped == 501


def test_an_unwritable_folder_drops_and_counts(tmp_path: Path, make_records) -> None:
    """Where nothing can be written (a file stands in the folder's place) the log lives on and counts."""
    (tmp_path / "segments").write_text("in the way")
    log = TrafficLog(tmp_path / "segments", buffer=10, flush_seconds=0.01)
    for record in make_records(50):
        log.put(record)
    counters = log.close()
    assert (counters.served, counters.logged, counters.dropped) == (50, 0, 50)
    assert counters.failures > 0
    assert "segments" in str(counters.last_error)


def test_writing_goes_on_when_the_disk_has_room_again(tmp_path: Path, make_records) -> None:
    """Records that waited through a failure are written once it is over."""
    blocked = tmp_path / "segments"
    blocked.write_text("in the way")
    log = TrafficLog(blocked, flush_seconds=0.01)
    records = make_records(20)
    for record in records:
        log.put(record)
    assert not log.flush(timeout_s=0.1)
    blocked.unlink()
    assert log.flush(timeout_s=10)
    assert log.close().logged == 20
    assert stored(blocked) == records


def test_a_full_disk_loses_only_what_is_counted(tmp_path: Path) -> None:
    """At a real limit of the file system's (RLIMIT_FSIZE), logged is exactly what can be read back."""
    program = textwrap.dedent(
        f"""
        import json, resource, signal
        from pathlib import Path
        from coffey.core.records import TrafficRecord
        from coffey.traffic.log import TrafficLog
        from coffey.traffic.segment import read_segment
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        folder = Path({str(tmp_path)!r})
        log = TrafficLog(folder, flush_seconds=0.01)
        import random
        noise = random.Random(1)
        for n in range(2000):
            text = "".join(chr(noise.randrange(33, 1000)) for _ in range(100))
            log.put(TrafficRecord(str(n), 1.0, "m", text, "l", 0.5, 0.1, False, 0.1))
        log.flush(0.5)
        counters = log.close()
        found = [r for p in sorted(folder.iterdir()) for r in read_segment(p).records]
        print(json.dumps([counters.served, counters.logged, counters.dropped, len(found), counters.failures]))
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    served, logged, dropped, found, failures = json.loads(done.stdout)
    assert served == 2000 == logged + dropped
    assert found == logged
    assert failures > 0
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000


def test_a_record_that_cannot_be_encoded_takes_no_other_with_it(tmp_path: Path, make_records) -> None:
    """A lone surrogate is dropped and counted; its neighbours are logged."""
    records = make_records(10)
    broken = dataclasses.replace(records[4], text="\ud800")
    log = TrafficLog(tmp_path)
    for record in [*records[:4], broken, *records[5:]]:
        log.put(record)
    counters = log.close()
    assert (counters.served, counters.logged, counters.dropped) == (10, 9, 1)
    assert stored(tmp_path) == records[:4] + records[5:]


def test_segments_are_sealed_by_size_by_time_and_on_demand(tmp_path: Path, make_records) -> None:
    """Each of the three ways completes a segment while the log goes on."""
    by_size = TrafficLog(tmp_path / "size", rotate_bytes=1, flush_seconds=0.01)
    for record in make_records(600):
        by_size.put(record)
    by_size.close()
    assert len(list((tmp_path / "size").glob("*.seg"))) >= 3
    by_time = TrafficLog(tmp_path / "time", rotate_seconds=0.05, flush_seconds=0.01)
    asked = TrafficLog(tmp_path / "asked", flush_seconds=0.01)
    for log, folder in ((by_time, "time"), (asked, "asked")):
        log.put(make_records(1)[0])
        log.flush()
        if log is asked:
            assert not list((tmp_path / folder).glob("*.seg"))
            log.seal()
        for _ in range(500):
            if list((tmp_path / folder).glob("*.seg")):
                break
            threading.Event().wait(0.01)
        assert len(list((tmp_path / folder).glob("*.seg"))) == 1
        log.close()


def test_a_killed_process_leaves_a_segment_that_is_read(tmp_path: Path) -> None:
    """What was written before a kill -9 is in the open segment."""
    program = textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        from coffey.core.records import TrafficRecord
        from coffey.traffic.log import TrafficLog
        log = TrafficLog(Path({str(tmp_path)!r}), flush_seconds=0.01)
        for n in range(100):
            log.put(TrafficRecord(str(n), 1.0, "m", "t", "l", 0.5, 0.1, False, 0.1))
        log.flush()
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".open"
    assert [r.id for r in read_segment(path).records] == [str(n) for n in range(100)]
