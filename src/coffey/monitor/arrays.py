"""Named arrays in a file: what a champion is watched against. No text of an input is in it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coffey.core.errors import StoreUnavailable
from coffey.core.files import write_atomic

Arrays = dict[str, npt.NDArray[np.generic]]


def save_arrays(path: Path, arrays: Arrays) -> None:
    """Keep them at `path` (npz, nothing pickled).

    Raises:
        StoreUnavailable: it cannot be written.
    """
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)  # NumPy's own types take the names of its options to be among them
    np.savez_compressed(buffer, **named)
    write_atomic(path, buffer.getvalue())


def load_arrays(path: Path, *, names: frozenset[str], what: str) -> Arrays | None:
    """What `save_arrays` kept, or None when there is nothing.

    Args:
        path: of the file.
        names: of the arrays that must be in it.
        what: the file should hold, for the error.

    Raises:
        StoreUnavailable: the file is there and cannot be read, or lacks an array.
    """
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            return {name: kept[name] for name in names}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as exc:
        raise StoreUnavailable(str(path), f"it is no {what} ({exc})") from exc
