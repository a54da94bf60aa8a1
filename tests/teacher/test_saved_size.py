"""A checkpoint is counted from the headers of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from coffey.teacher.saved_size import saved_params


def test_the_numbers_of_all_files_are_counted(tmp_path: Path) -> None:
    """Sharded or not; tables of positions are no parameters."""
    save_file({"a": np.zeros((3, 4), np.float32), "ids": np.arange(99)}, tmp_path / "model-1.safetensors")
    save_file({"b": np.zeros(5, np.float16)}, tmp_path / "model-2.safetensors")
    assert saved_params(tmp_path) == 17


def test_what_cannot_be_counted_is_unknown(tmp_path: Path) -> None:
    """No folder (a name on a hub), no file, or a damaged one."""
    assert saved_params(tmp_path / "sentence-transformers" / "all-MiniLM-L6-v2") is None
    assert saved_params(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes(b"no header")
    assert saved_params(tmp_path) is None
