from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from coffey.core.errors import UnknownFormat
from coffey.traffic import segment as module
from coffey.traffic.segment import FILE_MAGIC, SegmentWriter, encode_block, read_segment


def test_what_is_appended_is_read_back_in_order(tmp_path: Path, make_records) -> None:
    """A sealed segment holds exactly the records that were appended."""
    records = make_records(700)
    writer = SegmentWriter.create(tmp_path)
    for start in range(0, 700, 256):
        writer.append(records[start : start + 256])
    sealed = writer.seal()
    found = read_segment(sealed)
    assert sealed.suffix == ".seg"
    assert list(found.records) == records
    assert (found.torn_bytes, found.damaged_blocks) == (0, 0)
    assert found.id == sealed.stem


def test_a_tail_torn_at_any_byte_loses_only_the_last_block(tmp_path: Path, make_records) -> None:
    """Wherever a kill cuts the file, every completed block is read and the rest is counted."""
    records = make_records(6)
    blocks = [encode_block(records[:3]), encode_block(records[3:])]
    whole = FILE_MAGIC + blocks[0] + blocks[1]
    path = tmp_path / "x.open"
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        found = read_segment(path)
        complete = 3 if cut >= len(FILE_MAGIC) + len(blocks[0]) else 0
        kept = len(FILE_MAGIC) if cut >= len(FILE_MAGIC) else 0
        kept += len(blocks[0]) if complete else 0
        assert list(found.records) == records[:complete], cut
        assert found.torn_bytes == cut - kept, cut
        assert found.damaged_blocks == 0, cut


def test_a_flipped_byte_loses_one_block_and_is_counted(tmp_path: Path, make_records) -> None:
    """A disk error anywhere in a block is noticed; the blocks around it are read."""
    records = make_records(9)
    blocks = [encode_block(records[i : i + 3]) for i in (0, 3, 6)]
    start = len(FILE_MAGIC) + len(blocks[0])
    path = tmp_path / "x.seg"
    for offset in range(start, start + len(blocks[1])):
        data = bytearray(FILE_MAGIC + b"".join(blocks))
        data[offset] ^= 0x41
        path.write_bytes(data)
        found = read_segment(path)
        assert list(found.records) == records[:3] + records[6:], offset
        assert found.damaged_blocks == 1, offset
        assert found.torn_bytes == 0, offset


def test_another_format_is_refused(tmp_path: Path) -> None:
    """A segment with another number is named, not guessed at."""
    path = tmp_path / "x.seg"
    path.write_bytes(b"CFYSEG99whatever")
    with pytest.raises(UnknownFormat, match="CFYSEG99"):
        read_segment(path)


def test_an_open_segment_is_locked_until_its_writer_is_gone(tmp_path: Path, make_records) -> None:
    """The lock tells a living writer from a killed one."""
    writer = SegmentWriter.create(tmp_path)
    writer.append(make_records(1))
    with writer.path.open("rb") as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        writer.seal()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_write_that_fails_halfway_leaves_the_file_as_it_was(
    tmp_path: Path, make_records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a full disk cut a write, the file is as before and can be appended to."""
    records = make_records(4)
    writer = SegmentWriter.create(tmp_path)
    writer.append(records[:2])
    before = writer.path.read_bytes()

    def half(handle: int, data: memoryview) -> None:
        os.write(handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write_all", half)
        with pytest.raises(OSError, match="No space"):
            writer.append(records[2:])
    assert writer.path.read_bytes() == before
    writer.append(records[2:])
    assert list(read_segment(writer.seal()).records) == records
