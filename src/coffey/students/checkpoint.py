"""A student's folder: safetensors, tokenizer, labels and configuration; nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from tokenizers import Tokenizer

from coffey.core.errors import StoreUnavailable, UnknownFormat
from coffey.core.files import write_atomic
from coffey.core.ids import digest_bytes, digest_json
from coffey.students.family import AnyStudent, build_student, read_shape

FORMAT = 1
"""Raised when a file changes its meaning; a new optional key does not."""

_WEIGHTS, _TOKENIZER, _LABELS, _CONFIG = "student.safetensors", "tokenizer.json", "labels.json", "config.json"

_SHAPE = "shape"
"""Beside the files' names in `sha256`: the shape's own digest. Of heads, the weights would not tell."""
_CHANGED = "it is not what was written: its digest differs"


@dataclass(frozen=True, slots=True)
class SavedStudent:
    """What a student's folder holds."""

    student: AnyStudent
    tokenizer: Tokenizer
    labels: tuple[str, ...]


def save_student(folder: Path, student: AnyStudent, tokenizer: Tokenizer, labels: Sequence[str]) -> None:
    """Write a student to a folder; `config.json` comes last, so a folder with it is whole.

    Raises:
        StoreUnavailable: the folder cannot be written.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in student.state_dict().items()}
    files = {
        _WEIGHTS: save(weights),
        _TOKENIZER: tokenizer.to_str().encode(),
        _LABELS: json.dumps(list(labels), ensure_ascii=False).encode(),
    }
    for name, data in files.items():
        write_atomic(folder / name, data)
    shape = student.shape.as_json()
    digests = {name: digest_bytes(data) for name, data in files.items()} | {_SHAPE: digest_json(shape)}
    config = {"format": FORMAT, "shape": shape, "sha256": digests}
    write_atomic(folder / _CONFIG, json.dumps(config).encode())


def load_student(folder: Path) -> SavedStudent:
    """Read what `save_student` wrote, ready to answer (evaluation mode, on the CPU).

    Raises:
        StoreUnavailable: a file is missing, cannot be read, or is not what was written; it is named.
        UnknownFormat: a later version wrote it.
        ConfigError: it is a user's module, which cannot be imported or has changed since.
    """
    config = _config(folder / _CONFIG)
    digests = config.get("sha256", {})  # earlier versions wrote none
    weights, tokenizer, labels = (
        _checked(folder / name, digests.get(name)) for name in (_WEIGHTS, _TOKENIZER, _LABELS)
    )
    return SavedStudent(
        _student(folder, config["shape"], weights).eval(),
        _tokenizer(folder / _TOKENIZER, tokenizer),
        _labels(folder / _LABELS, labels),
    )


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(_bytes(path))
        found, shape = config["format"], config["shape"]
        digests = config.get("sha256", {})
        known = digests.get(_SHAPE, digest_json(shape))
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise _damaged(path, str(exc)) from exc
    if found != FORMAT:
        raise UnknownFormat(str(path), found, [FORMAT])
    if known != digest_json(shape):
        raise _damaged(path, _CHANGED)
    return dict(config)


def _checked(path: Path, digest: str | None) -> bytes:
    data = _bytes(path)
    if digest not in (None, digest_bytes(data)):
        raise _damaged(path, _CHANGED)
    return data


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise StoreUnavailable(str(path), exc.strerror or str(exc)) from exc


def _student(folder: Path, shape: Mapping[str, Any], weights: bytes) -> AnyStudent:
    try:
        student = build_student(read_shape(shape))
        student.load_state_dict(load(weights))
    except (SafetensorError, RuntimeError, ValueError, LookupError, TypeError) as exc:
        raise _damaged(folder / _WEIGHTS, str(exc)) from exc
    return student


def _tokenizer(path: Path, data: bytes) -> Tokenizer:
    try:
        return Tokenizer.from_str(data.decode())
    except Exception as exc:  # tokenizers raises nothing more exact
        raise _damaged(path, str(exc)) from exc


def _labels(path: Path, data: bytes) -> tuple[str, ...]:
    try:
        return tuple(json.loads(data))
    except (ValueError, TypeError) as exc:
        raise _damaged(path, str(exc)) from exc


def _damaged(path: Path, reason: str) -> StoreUnavailable:
    advice = "restore it from a copy, or remove its stage's folder to train it anew"
    return StoreUnavailable(str(path), f"it is damaged ({reason}); {advice}")
