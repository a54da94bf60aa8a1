"""A segment: an append-only file of checksummed, compressed blocks of traffic records.

```text
file   = "CFYSEG01" block*
block  = "CFYB" | u32 payload bytes | u32 records | u32 CRC-32 of the 8 bytes before and the payload | payload
payload = zstd(msgpack([record, ...])), a record being a map from field name to value; integers little-endian
```

The number in the first 8 bytes changes when an older reader could no longer read the file. Fields may be
added with a default; a reader ignores fields it does not know.

`<id>.open` is being written and its writer holds `flock` on it; a file of that name without the lock belongs
to a server that was killed. `<id>.seg` is complete. A block cut short by a kill is dropped on reading.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zstandard

from coffey.core.clock import unix_now
from coffey.core.errors import UnknownFormat
from coffey.core.ids import fresh_id
from coffey.core.records import TrafficRecord

FILE_MAGIC = b"CFYSEG01"
BLOCK_MAGIC = b"CFYB"
OPEN, SEALED, NEW = ".open", ".seg", ".new"
_HEADER = struct.Struct("<4sIII")
_SIZES = struct.Struct("<II")
_DECODER = msgspec.msgpack.Decoder(list[TrafficRecord])


def encode_block(records: Sequence[TrafficRecord]) -> bytes:
    """One framed block.

    Raises:
        ValueError: a text cannot be encoded (a lone surrogate).
    """
    payload = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(list(records)))
    checksum = zlib.crc32(payload, zlib.crc32(_SIZES.pack(len(payload), len(records))))
    return _HEADER.pack(BLOCK_MAGIC, len(payload), len(records), checksum) + payload


class SegmentWriter:
    """One open segment. One thread appends; every method may raise OSError and leaves the file readable."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.size = len(FILE_MAGIC)
        self.records = 0
        self._handle = handle

    @classmethod
    def create(cls, folder: Path) -> SegmentWriter:
        """A new, locked segment in `folder` (made when absent), named by the time and a random id."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{int(unix_now() * 1000):013d}-{fresh_id()}"
        new, path = folder / f"{name}{NEW}", folder / f"{name}{OPEN}"
        handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(handle, FILE_MAGIC)
            new.rename(path)  # only a locked file ever bears the name of an open segment
        except OSError:
            os.close(handle)
            new.unlink(missing_ok=True)
            raise
        return cls(path, handle)

    def append(self, records: Sequence[TrafficRecord]) -> None:
        """Append one block, or raise and leave the file as it was before."""
        block = encode_block(records)
        try:
            _write_all(self._handle, block)
        except OSError:
            os.ftruncate(self._handle, self.size)
            raise
        self.size += len(block)
        self.records += len(records)

    def seal(self) -> Path:
        """Flush to the disk, rename to `*.seg` and close.

        When that fails the file stays an unlocked open segment, which compaction reads as well.
        """
        sealed = self.path.with_suffix(SEALED)
        try:
            os.fsync(self._handle)
            self.path.rename(sealed)
        finally:
            os.close(self._handle)
        return sealed


@dataclass(frozen=True, slots=True)
class Segment:
    """What a segment file holds, and what could not be read of it."""

    id: str
    records: tuple[TrafficRecord, ...]
    torn_bytes: int = 0
    """Bytes of a block that was never completed."""
    damaged_blocks: int = 0
    """Complete blocks whose checksum is wrong: the disk changed them."""


def read_segment(path: Path) -> Segment:
    """Read a sealed, an orphaned or even a growing segment.

    Raises:
        UnknownFormat: the file begins with another format's number.
        OSError: it cannot be read.
    """
    return parse_segment(path, path.read_bytes())


def parse_segment(path: Path, data: bytes) -> Segment:
    """As `read_segment`, from bytes that were read already."""
    if len(data) < len(FILE_MAGIC):
        return Segment(path.stem, (), torn_bytes=len(data))
    if not data.startswith(FILE_MAGIC):
        raise UnknownFormat(str(path), data[: len(FILE_MAGIC)], [1])
    records: list[TrafficRecord] = []
    damaged, offset = 0, len(FILE_MAGIC)
    while offset < len(data):
        block = _block_at(data, offset)
        if block is not None:
            records.extend(block[0])
            offset = block[1]
            continue
        following = _next_block(data, offset + 1)
        if following is None:
            break
        damaged += 1
        offset = following
    return Segment(path.stem, tuple(records), torn_bytes=len(data) - offset, damaged_blocks=damaged)


def _block_at(data: bytes, offset: int) -> tuple[list[TrafficRecord], int] | None:
    """The records of the block at `offset` and where it ends; None when none is whole there."""
    body = offset + _HEADER.size
    if body > len(data):
        return None
    magic, length, count, checksum = _HEADER.unpack_from(data, offset)
    payload = data[body : body + length]
    if magic != BLOCK_MAGIC or len(payload) < length:
        return None
    if zlib.crc32(payload, zlib.crc32(_SIZES.pack(length, count))) != checksum:
        return None
    return _DECODER.decode(zstandard.ZstdDecompressor().decompress(payload)), body + length


def _next_block(data: bytes, start: int) -> int | None:
    """Where the next whole block begins."""
    while (start := data.find(BLOCK_MAGIC, start)) >= 0:
        if _block_at(data, start) is not None:
            return start
        start += 1
    return None


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
