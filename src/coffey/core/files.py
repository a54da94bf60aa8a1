"""Writing local files so that a reader sees all of a file or none of it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from coffey.core.errors import StoreUnavailable
from coffey.core.ids import fresh_id


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` aside, flush it to the disk and rename it to `path`; parents are made.

    Raises:
        StoreUnavailable: the disk is full, the folder is read-only, or the like. Nothing is left behind.
    """
    aside = path.with_name(f".{path.name}.{fresh_id()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_flushed(aside, data)
        aside.replace(path)
        _flush_folder(path.parent)
    except OSError as exc:
        _discard(aside)
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc


def create_new(path: Path, data: bytes) -> bool:
    """Put `data` at `path` only if nothing is there: the conditional write that journals are built on.

    Returns:
        False when `path` exists already (then nothing changes).

    Raises:
        StoreUnavailable: as `write_atomic`.
    """
    aside = path.with_name(f".{path.name}.{fresh_id()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_flushed(aside, data)
        try:
            os.link(aside, path)
        except FileExistsError:
            return False
        _flush_folder(path.parent)
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    finally:
        _discard(aside)
    return True


def _discard(aside: Path) -> None:
    with contextlib.suppress(OSError):
        aside.unlink(missing_ok=True)


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
