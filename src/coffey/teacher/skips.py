"""The inputs that a teacher gave no usable answer to and was told to skip, so that none is asked about twice.

```text
<label store>/skipped/<id>.keys     one file a run; one key (32 hexadecimal digits) a line
```

Remove the folder to have them asked about again. Another question is another teacher, with another store.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from coffey.core.errors import StoreUnavailable
from coffey.core.ids import fresh_id

SKIPPED = "skipped"
"""The folder's name in a label store."""


class SkipLog:
    """What all runs on one label store have skipped. This run's file is made by its first key."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, that of `SKIPPED` in a label store."""
        self._folder = folder
        self._path = folder / f"{fresh_id()}.keys"

    def keys(self) -> frozenset[str]:
        """Every key that was skipped before; a line that a kill tore off is left out.

        Raises:
            StoreUnavailable: a file cannot be read.
        """
        return frozenset(key for path in self._folder.glob("*.keys") for key in _lines(path))

    def add(self, keys: Sequence[str]) -> None:
        """Remember keys; when this returns, they survive `kill -9` and a power cut.

        Raises:
            StoreUnavailable: the disk is full, or the like.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write("".join(f"{key}\n" for key in keys).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise StoreUnavailable(str(self._path), exc.strerror or str(exc)) from exc


def _lines(path: Path) -> list[str]:
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    return whole.decode("ascii", "replace").split()
