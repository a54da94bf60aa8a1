"""A student's folder: safetensors, tokenizer, labels and configuration; nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load, save
from tokenizers import Tokenizer

from coffey.core.errors import StoreUnavailable, UnknownFormat
from coffey.core.files import write_atomic
from coffey.students.encoder import Student
from coffey.students.shape import EncoderShape

FORMAT = 1
"""Raised when a file changes its meaning; a new optional key does not."""

_WEIGHTS, _TOKENIZER, _LABELS, _CONFIG = "student.safetensors", "tokenizer.json", "labels.json", "config.json"


@dataclass(frozen=True, slots=True)
class SavedStudent:
    """What a student's folder holds."""

    student: Student
    tokenizer: Tokenizer
    labels: tuple[str, ...]


def save_student(folder: Path, student: Student, tokenizer: Tokenizer, labels: Sequence[str]) -> None:
    """Write a student to a folder; `config.json` comes last, so a folder with it is whole.

    Raises:
        StoreUnavailable: the folder cannot be written.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in student.state_dict().items()}
    config = {"format": FORMAT, "shape": student.shape.as_json()}
    write_atomic(folder / _WEIGHTS, save(weights))
    write_atomic(folder / _TOKENIZER, tokenizer.to_str().encode())
    write_atomic(folder / _LABELS, json.dumps(list(labels), ensure_ascii=False).encode())
    write_atomic(folder / _CONFIG, json.dumps(config).encode())


def load_student(folder: Path) -> SavedStudent:
    """Read what `save_student` wrote, ready to answer (evaluation mode, on the CPU).

    Raises:
        StoreUnavailable: a file is missing or cannot be read.
        UnknownFormat: a later version wrote it.
    """
    try:
        config = json.loads((folder / _CONFIG).read_bytes())
        weights = load((folder / _WEIGHTS).read_bytes())
        tokenizer = Tokenizer.from_str((folder / _TOKENIZER).read_text(encoding="utf-8"))
        labels = tuple(json.loads((folder / _LABELS).read_bytes()))
    except OSError as exc:
        raise StoreUnavailable(str(folder), exc.strerror or str(exc)) from exc
    if config["format"] != FORMAT:
        raise UnknownFormat(str(folder / _CONFIG), config["format"], [FORMAT])
    student = Student(EncoderShape(**config["shape"]))
    student.load_state_dict(weights)
    return SavedStudent(student.eval(), tokenizer, labels)
