"""Reading an artifact: signature first, then every byte, before anything is built from it."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from coffey.artifact.manifest import (
    LABELS,
    MANIFEST,
    MODEL,
    SIGNATURE,
    TOKENIZER,
    FileEntry,
    Manifest,
    decode,
    digest,
)
from coffey.artifact.signature import check_signature
from coffey.artifact.signing import Trust
from coffey.core.errors import ArtifactError, BadSignature, DigestMismatch, StoreUnavailable
from coffey.core.ids import digest_bytes

_MANIFEST_LIMIT = 4 << 20
"""Bytes read of a manifest or signature before anything about it is trusted."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REQUIRED = (MODEL, TOKENIZER, LABELS)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified artifact: what it says, and the very bytes that were verified."""

    path: Path
    digest: str
    manifest: Manifest
    labels: tuple[str, ...]
    model: bytes
    tokenizer: bytes


def open_artifact(path: Path, *, trust: Trust) -> Artifact:
    """Read the artifact in the folder `path` and verify all of it.

    Checked, in this order: nothing in the folder is a link, a folder or unlisted; the signature over the
    manifest's bytes is a trusted key's; the format; a folder named by a digest holds that artifact; size and
    digest of every file. The bytes returned are the ones that were checked, so a later change on disk has no
    effect.

    Raises:
        BadSignature: no signature, an unknown key, a changed manifest, or a file that was not signed.
        DigestMismatch: a file was changed, damaged or is missing. Its path is in the message.
        UnknownFormat: the artifact was made by a newer version.
        StoreUnavailable: the folder cannot be read.
    """
    names = _list(path)
    data = _read(path / MANIFEST, _MANIFEST_LIMIT) if MANIFEST in names else _absent(path, MANIFEST)
    seal = _read(path / SIGNATURE, _MANIFEST_LIMIT) if SIGNATURE in names else _absent(path, SIGNATURE)
    check_signature(str(path), data, seal, trust)
    manifest = decode(data, str(path / MANIFEST))
    name = digest(data)
    if _DIGEST.fullmatch(path.name) and path.name != name:
        raise DigestMismatch(str(path), path.name, name)
    _check_names(path, names, manifest)
    files = {file: _verified(path / file, entry) for file, entry in manifest.files.items()}
    labels = _labels(path / LABELS, files[LABELS], manifest.labels)
    return Artifact(path, name, manifest, labels, files[MODEL], files[TOKENIZER])


def read_manifest(path: Path, *, trust: Trust) -> Manifest:
    """The manifest in the folder `path`, with its signature verified and its files not read.

    Raises:
        BadSignature, UnknownFormat, StoreUnavailable: as `open_artifact`.
    """
    data = _read(path / MANIFEST, _MANIFEST_LIMIT)
    check_signature(str(path), data, _read(path / SIGNATURE, _MANIFEST_LIMIT), trust)
    return decode(data, str(path / MANIFEST))


def _list(path: Path) -> set[str]:
    try:
        with os.scandir(path) as entries:
            names = {entry.name: entry.is_file(follow_symlinks=False) for entry in entries}
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc
    for name, plain in names.items():
        if not plain:
            raise BadSignature(str(path), f"{name!r} in it is a link or a folder, not a plain file")
    return set(names)


def _absent(path: Path, name: str) -> bytes:
    raise BadSignature(str(path), f"it has no {name!r}")


def _check_names(path: Path, names: set[str], manifest: Manifest) -> None:
    listed = set(manifest.files)
    for name in sorted(names - listed - {MANIFEST, SIGNATURE}):
        raise BadSignature(str(path), f"{name!r} in it is not in the signed manifest")
    for name in sorted(listed - names):
        raise DigestMismatch(str(path / name), manifest.files[name].sha256, "missing")
    for name in _REQUIRED:
        if name not in listed:
            raise ArtifactError(f"{str(path / MANIFEST)!r} lists no {name!r}")


def _verified(path: Path, entry: FileEntry) -> bytes:
    data = _read(path, entry.bytes)
    found = digest_bytes(data)
    if found != entry.sha256:
        raise DigestMismatch(str(path), entry.sha256, found)
    return data


def _read(path: Path, limit: int) -> bytes:
    """The file's bytes, at most one more than `limit` (then it was changed); never through a link."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(limit + 1)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise BadSignature(str(path.parent), f"{path.name!r} in it is a link") from exc
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc


def _labels(path: Path, data: bytes, count: int) -> tuple[str, ...]:
    try:
        labels = msgspec.json.decode(data, type=tuple[str, ...])
    except msgspec.MsgspecError as exc:
        raise ArtifactError(f"{str(path)!r} holds no list of label names: {exc}") from exc
    if len(labels) != count:
        raise ArtifactError(f"{str(path)!r} names {len(labels)} labels where the manifest says {count}")
    return labels
