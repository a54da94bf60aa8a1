"""What was skipped once is remembered by all runs on a label store."""

from __future__ import annotations

import pytest

from coffey.core.errors import StoreUnavailable
from coffey.core.ids import input_key
from coffey.teacher.skips import SkipLog

KEYS = [input_key(str(number)) for number in range(4)]


def test_keys_of_all_runs_are_known(tmp_path):
    """A run that skips nothing leaves no file."""
    folder = tmp_path / "skipped"
    assert SkipLog(folder).keys() == frozenset()
    assert not folder.exists()
    first, second = SkipLog(folder), SkipLog(folder)
    first.add(KEYS[:1])
    second.add(KEYS[1:3])
    first.add(KEYS[3:])
    assert SkipLog(folder).keys() == first.keys() == set(KEYS)
    assert len(list(folder.iterdir())) == 2


def test_a_torn_line_is_no_key(tmp_path):
    """A process that is killed while it writes leaves half a key, which is asked about again."""
    log = SkipLog(tmp_path)
    log.add(KEYS[:2])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert log.keys() == {KEYS[0]}


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """By its path."""
    (tmp_path / "skipped").write_text("a file")
    with pytest.raises(StoreUnavailable, match="skipped"):
        SkipLog(tmp_path / "skipped").add(KEYS)
