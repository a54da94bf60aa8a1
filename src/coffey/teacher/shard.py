"""One file of answers: Parquet, named by how many rows it has and the SHA-256 of its bytes.

The name is the checksum, and it appears with the file in one rename: a shard without its checksum cannot be
seen. Format 1: column `key` (16 bytes), column `probabilities` (float32, one a label). A reader of a later
format must still read this one.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from coffey.core.errors import StoreCorrupt, StoreUnavailable
from coffey.core.files import write_atomic
from coffey.core.ids import KEY_BYTES, digest_bytes
from coffey.teacher.keys import Keys
from coffey.teacher.protocol import Probabilities

_NAME = re.compile(r"(\d{8,})-([0-9a-f]{64})\.parquet")


def list_shards(folder: Path) -> list[Path]:
    """The committed shards of a folder, by name.

    Raises:
        StoreCorrupt: a Parquet file that no label store wrote.
        StoreUnavailable: the folder cannot be read.
    """
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == ".parquet")
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise StoreUnavailable(str(folder), exc.strerror or str(exc)) from exc
    for path in found:
        _parse(path)
    return found


def shard_rows(path: Path) -> int:
    """How many rows a shard has, by its name."""
    return _parse(path)[0]


def write_shard(folder: Path, keys: Keys, probabilities: Probabilities) -> Path:
    """Commit answers, float32 [len(keys), labels], as one shard; equal answers give the same shard.

    Raises:
        StoreUnavailable: the disk is full, or the like; nothing is left behind.
    """
    data = _encode(keys, probabilities)
    path = folder / f"{len(keys):08d}-{digest_bytes(data)}.parquet"
    write_atomic(path, data)
    return path


def read_shard(path: Path, *, labels: int) -> tuple[Keys, Probabilities]:
    """The keys and answers, float32 [rows, labels], of a shard whose bytes are the ones that were written.

    Raises:
        FileNotFoundError: it is gone: merged into another shard, which was committed first.
        StoreCorrupt: its bytes, its rows or its width are not what its name and its header say.
        StoreUnavailable: it cannot be read.
    """
    rows, digest = _parse(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    found = digest_bytes(data)
    if found != digest:
        raise StoreCorrupt(
            str(path),
            f"its SHA-256 is {found[:12]}… where its name says {digest[:12]}…; remove it and run again "
            f"to ask the teacher for its {rows} answer(s)",
        )
    keys, probabilities = _decode(data, path)
    if probabilities.shape != (rows, labels) or len(keys) != rows:
        raise StoreCorrupt(
            str(path), f"it holds {list(probabilities.shape)} answers, expected {[rows, labels]}"
        )
    return keys, probabilities


def _parse(path: Path) -> tuple[int, str]:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise StoreCorrupt(str(path), "its name is not '<rows>-<sha256>.parquet'; no label store wrote it")
    return int(match[1]), match[2]


def _encode(keys: Keys, probabilities: Probabilities) -> bytes:
    packed = pa.py_buffer(np.ascontiguousarray(keys).tobytes())
    flat = pa.array(np.ascontiguousarray(probabilities, dtype=np.float32).reshape(-1))
    table = pa.table(
        {
            "key": pa.Array.from_buffers(pa.binary(KEY_BYTES), len(keys), [None, packed]),
            "probabilities": pa.FixedSizeListArray.from_arrays(flat, probabilities.shape[1]),
        }
    ).replace_schema_metadata({"coffey.format": "1"})
    sink = io.BytesIO()
    # Digests and float mantissas do not compress; plain pages also read fastest.
    pq.write_table(table, sink, compression="none", use_dictionary=False, write_statistics=False)
    return sink.getvalue()


def _decode(data: bytes, path: Path) -> tuple[Keys, Probabilities]:
    try:
        table = pq.read_table(pa.BufferReader(data), columns=["key", "probabilities"])
        keys = table.column("key").combine_chunks().cast(pa.binary(KEY_BYTES))
        answers = table.column("probabilities").combine_chunks()
        width = answers.type.list_size
        flat = answers.flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    except (pa.ArrowException, KeyError, AttributeError) as exc:
        raise StoreCorrupt(str(path), f"it is not a shard of answers ({exc})") from exc
    packed = np.frombuffer(keys.buffers()[1], dtype=f"S{KEY_BYTES}")[keys.offset : keys.offset + len(keys)]
    return packed, flat.reshape(-1, width)
