"""A reader sees all of a file or none of it, and failures are told as the store's."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coffey.core.errors import StoreUnavailable
from coffey.core.files import create_new, write_atomic


def test_a_file_is_replaced_whole(tmp_path):
    """Parents are made, the old content is replaced, nothing else is left in the folder."""
    path = tmp_path / "a" / "b.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["b.json"]


def test_only_one_of_many_writers_creates_a_file(tmp_path):
    """Of 32 concurrent writers exactly one is told that it won, and its bytes are there."""
    path = tmp_path / "journal" / "1.json"
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: create_new(path, str(number).encode()), range(32)))
    assert won.count(True) == 1
    assert path.read_bytes() == str(won.index(True)).encode()
    assert os.listdir(path.parent) == ["1.json"]


@pytest.mark.parametrize("write", [write_atomic, create_new])
def test_a_failing_disk_is_a_store_error_and_leaves_nothing(tmp_path, monkeypatch, write):
    """A full disk while flushing: the old file stays, the half-written one is gone."""
    path = tmp_path / "f"
    if write is write_atomic:
        path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        write(path, b"new")
    assert [one.read_bytes() for one in tmp_path.iterdir()] == ([b"old"] if write is write_atomic else [])


@pytest.mark.parametrize("write", [write_atomic, create_new])
def test_a_parent_that_is_a_file_is_a_store_error(tmp_path, write):
    """A path through a file cannot be made, and says so."""
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="f/g"):
        write(Path(tmp_path / "f" / "g"), b"")
