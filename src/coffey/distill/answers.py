"""A student's answers over many texts, and their cache on disk."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from coffey.core.errors import StoreUnavailable
from coffey.core.files import write_atomic
from coffey.distill.batches import Tokenized, by_length
from coffey.distill.device import accelerator
from coffey.stats.scoring import ONE_LABEL, Scoring
from coffey.students.encoder import probabilities_of
from coffey.students.family import AnyStudent

_BATCH = 256


def answer(
    student: AnyStudent, texts: Tokenized, rows: np.ndarray, scoring: Scoring = ONE_LABEL
) -> np.ndarray:
    """Probabilities float32 [rows, labels], in the order of `rows`. Leaves the student in evaluation mode."""
    places = np.empty(len(texts), dtype=np.int64)
    places[rows] = np.arange(len(rows))
    answers = np.empty((len(rows), student.shape.labels), dtype=np.float32)
    device = next(student.parameters()).device
    student.eval()
    with torch.inference_mode():
        for batch in by_length(rows, texts.lengths, size=_BATCH):
            input_ids, mask = texts.pad(batch)
            with accelerator().autocast():
                logits, _ = student(input_ids.to(device), mask.to(device))
            said = logits.float().sigmoid() if scoring.independent else probabilities_of(logits)
            answers[places[batch]] = said.cpu().numpy()
    return answers


def cached_answers(
    path: Path, student: AnyStudent, read: Callable[[], Tokenized], scoring: Scoring = ONE_LABEL
) -> np.ndarray:
    """The student's answers to all texts, float32 [texts, labels], computed once and kept at `path`.

    The path must name what the answers depend on: the weights and the texts. `read` gives the texts; it is
    not called where the answers are known.

    Raises:
        StoreUnavailable: the cache cannot be read or written.
    """
    if path.exists():
        try:
            kept: np.ndarray = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as exc:
            raise StoreUnavailable(str(path), f"{exc}; remove the file and run again") from exc
        return kept
    texts = read()
    answers = answer(student.to(accelerator().device), texts, np.arange(len(texts)), scoring)
    buffer = io.BytesIO()
    np.save(buffer, answers, allow_pickle=False)
    write_atomic(path, buffer.getvalue())
    return answers
