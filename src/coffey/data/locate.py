"""From what the user wrote (paths, globs, URLs, saved folders) to the files to read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

import fsspec

from coffey.core.errors import MissingExtra, UnreadableData

_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
}
_COMPRESSIBLE = ("csv", "tsv", "jsonl")
_EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file to read: its name for messages, its format, and where it lies."""

    name: str
    format: str
    compressed: bool
    filesystem: Any
    path: str

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, decompressed. Raises OSError; EOFError or zlib.error for damaged gzip."""
        with self.filesystem.open(self.path, "rb") as raw:
            if not self.compressed:
                yield raw
                return
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast(BinaryIO, unpacked)


def locate(urls: Iterable[str]) -> list[DataFile]:
    """The files that `urls` name, each once, globs in sorted order.

    Raises:
        UnreadableData: a file that is missing, a glob that matches nothing, a folder that `datasets` did not
            save, a format that is not known, a store that does not answer.
        MissingExtra: a URL whose protocol needs a package that is not installed.
    """
    found: dict[tuple[str, str], DataFile] = {}
    for url in urls:
        for file in _locate_one(url):
            found.setdefault((str(file.filesystem.protocol), file.path), file)
    return list(found.values())


def _locate_one(url: str) -> list[DataFile]:
    filesystem, path = _filesystem(url)
    try:
        paths = _expand(url, filesystem, path)
        return [file for one in paths for file in _files_at(_display(url, path, one), filesystem, one)]
    except OSError as exc:
        raise UnreadableData(url, exc.strerror or str(exc)) from exc


def _filesystem(url: str) -> tuple[Any, str]:
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except ImportError as exc:
        protocol = url.split("://")[0]
        raise MissingExtra(f"Reading {url!r}", _EXTRAS.get(protocol, protocol), exc.name or protocol) from exc
    except ValueError as exc:
        raise UnreadableData(url, str(exc)) from exc
    return filesystem, path


def _expand(url: str, filesystem: Any, path: str) -> list[str]:
    if filesystem.exists(path):
        return [path]
    if not any(mark in path for mark in "*?["):
        raise UnreadableData(url, "there is no such file")
    matches = sorted(cast(list[str], filesystem.glob(path)))
    if not matches:
        raise UnreadableData(url, "the pattern matches no file")
    return matches


def _display(url: str, path: str, found: str) -> str:
    """The name that the user would write for `found`, which `url` (at `path`) led to."""
    if found == path:
        return url
    return f"{url.split('://')[0]}://{found}" if "://" in url else found


def _files_at(name: str, filesystem: Any, path: str) -> Iterator[DataFile]:
    if filesystem.isdir(path):
        yield from _saved_folder(name, filesystem, path)
        return
    suffixes = [suffix.lower() for suffix in PurePosixPath(path).suffixes]
    compressed = suffixes[-1:] == [".gz"]
    suffix = (suffixes[:-1] if compressed else suffixes)[-1:]
    kind = _FORMATS.get(suffix[0]) if suffix else None
    if kind is None or (compressed and kind not in _COMPRESSIBLE):
        known = ", ".join(_FORMATS)
        raise UnreadableData(name, f"its format is not known; expected one of {known} (.gz for text formats)")
    yield DataFile(name, kind, compressed, filesystem, path)


def _saved_folder(name: str, filesystem: Any, path: str) -> Iterator[DataFile]:
    if filesystem.exists(f"{path}/dataset_dict.json"):
        splits = list(_json(name, filesystem, f"{path}/dataset_dict.json").get("splits", ()))
        if len(splits) != 1:
            choices = ", ".join(f"{name.rstrip('/')}/{split}" for split in splits)
            raise UnreadableData(name, f"it is a saved DatasetDict; name one split: {choices}")
        name, path = f"{name.rstrip('/')}/{splits[0]}", f"{path}/{splits[0]}"
    if not filesystem.exists(f"{path}/state.json"):
        raise UnreadableData(
            name, "it is a folder that `datasets` did not save (no state.json); name files or a glob in it"
        )
    state = _json(name, filesystem, f"{path}/state.json")
    if state.get("_indices_data_files"):
        raise UnreadableData(name, "it keeps its rows behind indices; save it again with a newer `datasets`")
    for entry in state.get("_data_files", ()):
        file = entry["filename"]
        yield DataFile(f"{name.rstrip('/')}/{file}", "arrow", False, filesystem, f"{path}/{file}")


def _json(name: str, filesystem: Any, path: str) -> dict[str, Any]:
    try:
        value = json.loads(filesystem.cat_file(path))
    except ValueError as exc:
        raise UnreadableData(name, f"{PurePosixPath(path).name} is not JSON: {exc}") from exc
    if not isinstance(value, dict):
        raise UnreadableData(name, f"{PurePosixPath(path).name} is not a JSON object")
    return value
