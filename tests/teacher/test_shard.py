"""A shard says what was written, or which file does not."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from coffey.core.errors import StoreCorrupt, StoreUnavailable
from coffey.core.ids import input_key
from coffey.teacher.keys import pack_keys, unpack_keys
from coffey.teacher.shard import list_shards, read_shard, shard_rows, write_shard


def some(rows: int = 5, labels: int = 3, seed: int = 0):
    keys = pack_keys([input_key(f"text {seed} {row}") for row in range(rows)])
    return keys, np.random.default_rng(seed).dirichlet(np.ones(labels), rows).astype(np.float32)


def test_a_shard_reads_back_bit_for_bit(tmp_path):
    """Keys and floats survive unchanged, and equal answers give the same file."""
    keys, answers = some()
    path = write_shard(tmp_path, keys, answers)
    found_keys, found = read_shard(path, labels=3)
    assert unpack_keys(found_keys) == unpack_keys(keys)
    assert found.tobytes() == answers.tobytes()
    assert shard_rows(path) == 5
    assert write_shard(tmp_path, keys, answers) == path
    assert list_shards(tmp_path) == [path]


def test_any_flipped_byte_is_noticed_and_the_file_named(tmp_path):
    """Wherever the damage is, the shard is refused by name."""
    path = write_shard(tmp_path, *some())
    whole = path.read_bytes()
    for at in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(bytes(damaged))
        with pytest.raises(StoreCorrupt, match=path.name):
            read_shard(path, labels=3)


def test_a_cut_off_shard_and_a_foreign_file_are_named(tmp_path):
    """A torn copy and a file that no store wrote are refused too."""
    path = write_shard(tmp_path, *some())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreCorrupt, match=path.name):
        read_shard(path, labels=3)
    (tmp_path / "other.parquet").write_bytes(b"")
    with pytest.raises(StoreCorrupt, match=r"other\.parquet"):
        list_shards(tmp_path)


def test_a_shard_of_another_width_is_refused(tmp_path):
    """Answers over two labels cannot be taken for answers over three."""
    path = write_shard(tmp_path, *some(labels=2))
    with pytest.raises(StoreCorrupt, match="expected"):
        read_shard(path, labels=3)


def test_a_write_that_the_system_refuses_leaves_nothing(tmp_path):
    """A write over the file-size limit (as a full disk would) is StoreUnavailable and leaves no file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        with pytest.raises(StoreUnavailable, match="large"):
            write_shard(tmp_path, *some(rows=500))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
