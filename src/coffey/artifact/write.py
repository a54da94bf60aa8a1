"""Writing an artifact: built aside, signed, and renamed to its digest in one step."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from coffey.artifact.manifest import (
    CARD,
    LABELS,
    MANIFEST,
    MODEL,
    SIGNATURE,
    TOKENIZER,
    FileEntry,
    Manifest,
    encode,
)
from coffey.artifact.manifest import digest as manifest_digest
from coffey.artifact.signature import make_signature
from coffey.artifact.signing import Signer
from coffey.core.errors import StoreUnavailable
from coffey.core.ids import digest_bytes, fresh_id

CONTENTS = frozenset({MODEL, TOKENIZER, LABELS})
"""What every manifest lists; most list a card too. `manifest.json` and `signature.json` stand beside them."""

_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY})


def list_files(files: Mapping[str, bytes]) -> dict[str, FileEntry]:
    """Digest and size of each file."""
    return {name: FileEntry(digest_bytes(data), len(data)) for name, data in sorted(files.items())}


def write_artifact(root: Path, manifest: Manifest, files: Mapping[str, bytes], signer: Signer) -> Path:
    """Write `files` under `root/<digest>` with the manifest (its `files` are filled in here) and a signature.

    The folder appears complete or not at all, and is never changed afterwards; writing the same artifact
    again leaves the first one as it is.

    Returns:
        The folder; its name is the artifact's digest.

    Raises:
        ValueError: `files` are not `CONTENTS`, with or without the card.
        StoreUnavailable: the disk is full, or the like. Nothing is left behind.
    """
    if set(files) - {CARD} != CONTENTS:
        raise ValueError(
            f"files {sorted(files)}: expected exactly {sorted(CONTENTS)}, with or without {CARD}"
        )
    data = encode(dataclasses.replace(manifest, files=list_files(files)))
    digest = manifest_digest(data)
    folder = root / digest
    if folder.exists():
        return folder
    whole = {**files, MANIFEST: data, SIGNATURE: make_signature(data, signer)}
    aside = root / f".{digest}.{fresh_id()}.tmp"
    try:
        _fill(aside, whole)
        _appear(aside, folder)
    except OSError as exc:
        raise StoreUnavailable(str(folder), exc.strerror or str(exc)) from exc
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _fill(aside: Path, files: Mapping[str, bytes]) -> None:
    aside.mkdir(parents=True)
    for name, data in files.items():
        with (aside / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o444)
    _flush(aside)


def _appear(aside: Path, folder: Path) -> None:
    try:
        aside.rename(folder)
    except OSError as exc:
        if exc.errno not in _TAKEN:
            raise
        return  # the same artifact was written in the meantime
    _flush(folder.parent)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
