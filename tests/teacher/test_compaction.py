"""Merging shards changes how many files there are, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.core.errors import StoreCorrupt
from coffey.core.ids import input_key
from coffey.teacher.compaction import FANOUT, compact
from coffey.teacher.keys import pack_keys, unpack_keys
from coffey.teacher.shard import list_shards, read_shard, shard_rows, write_shard


def write_small(folder, count, rows=4, labels=2):
    for number in range(count):
        keys = pack_keys([input_key(f"{number} {row}") for row in range(rows)])
        answers = np.random.default_rng(number).dirichlet(np.ones(labels), rows).astype(np.float32)
        write_shard(folder, keys, answers)


def contents(folder, labels=2):
    found = {}
    for path in list_shards(folder):
        keys, answers = read_shard(path, labels=labels)
        found |= dict(zip(unpack_keys(keys), answers.tolist(), strict=True))
    return found


def test_few_shards_are_left_alone(tmp_path):
    """Below the fan-out nothing is rewritten."""
    write_small(tmp_path, FANOUT - 1)
    before = list_shards(tmp_path)
    assert compact(tmp_path, labels=2) == []
    assert list_shards(tmp_path) == before


def test_many_small_shards_become_one_with_the_same_answers(tmp_path):
    """Every key keeps its answer bit for bit."""
    write_small(tmp_path, FANOUT)
    before = contents(tmp_path)
    (merged,) = compact(tmp_path, labels=2)
    assert list_shards(tmp_path) == [merged]
    assert shard_rows(merged) == 4 * FANOUT
    assert contents(tmp_path) == before


def test_a_merge_that_was_killed_before_it_removed_anything_is_finished_by_the_next(tmp_path):
    """The merged shard beside all it was made of is a valid state, and the merged shard is never removed."""
    write_small(tmp_path, FANOUT)
    small = {path.name: path.read_bytes() for path in list_shards(tmp_path)}
    before = contents(tmp_path)
    (merged,) = compact(tmp_path, labels=2)
    for name, data in small.items():
        (tmp_path / name).write_bytes(data)
    assert contents(tmp_path) == before
    assert compact(tmp_path, labels=2) == [merged]
    assert list_shards(tmp_path) == [merged]


def test_a_damaged_shard_stops_the_merge_and_nothing_is_removed(tmp_path):
    """Damage is never merged away."""
    write_small(tmp_path, FANOUT)
    shards = list_shards(tmp_path)
    data = bytearray(shards[7].read_bytes())
    data[100] ^= 1
    shards[7].write_bytes(bytes(data))
    with pytest.raises(StoreCorrupt, match=shards[7].name):
        compact(tmp_path, labels=2)
    assert list_shards(tmp_path) == shards
