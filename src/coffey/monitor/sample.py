"""Samples of requests as the student sees them, measured outside the serving path and kept for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from coffey.artifact.manifest import TOKENIZER
from coffey.artifact.predictor import Predictor
from coffey.monitor.arrays import load_arrays, save_arrays
from coffey.monitor.drift import Sample

ROWS = 1000
"""Rows of a sample at most: the tests see an effect of a few percent with them, and take under a second."""


def sample_requests(predictor: Predictor, texts: Sequence[str]) -> Sample:
    """What `predictor` makes of `texts`; of more than `ROWS`, evenly spaced ones."""
    chosen = thin(texts, ROWS)
    answers = predictor.answer_all(chosen)
    said = predictor.scoring.answers(answers.probabilities)
    tokenizer = Tokenizer.from_str((predictor.path / TOKENIZER).read_text(encoding="utf-8"))
    words, spelled = _spelling(tokenizer, chosen)
    return Sample(
        features=answers.features,
        confidence=predictor.scoring.confidence(answers.probabilities),
        length=words,
        unknown_share=spelled,
        labels=predictor.scoring.names(said, predictor.labels),
    )


def thin(texts: Sequence[str], rows: int) -> list[str]:
    """At most `rows` of `texts`, evenly spaced.

    >>> thin(["a", "b", "c", "d"], 2)
    ['a', 'd']
    """
    if len(texts) <= rows:
        return list(texts)
    return [texts[int(index)] for index in np.linspace(0, len(texts) - 1, rows)]


def reference_path(store: Path, digest: str) -> Path:
    """Where the sample is that drift of an artifact's requests is measured against."""
    return store / "references" / f"{digest}.npz"


def save_sample(path: Path, sample: Sample) -> None:
    """Keep a sample at `path` (npz, nothing pickled).

    Raises:
        StoreUnavailable: it cannot be written.
    """
    save_arrays(
        path,
        {
            "features": np.asarray(sample.features, np.float16),
            "confidence": np.asarray(sample.confidence, np.float32),
            "length": np.asarray(sample.length, np.int32),
            "unknown_share": np.asarray(sample.unknown_share, np.float32),
            "labels": np.asarray(list(sample.labels), np.str_),
        },
    )


def load_sample(path: Path) -> Sample | None:
    """The sample that `save_sample` kept, or None when there is none.

    Raises:
        StoreUnavailable: the file is there and cannot be read.
    """
    names = frozenset(field.name for field in fields(Sample))
    kept: Any = load_arrays(path, names=names, what="sample of requests")
    if kept is None:
        return None
    features, labels = kept["features"].astype(np.float32), kept["labels"].tolist()
    return Sample(**kept | {"features": features, "labels": labels})


def _spelling(
    tokenizer: Tokenizer, texts: Sequence[str]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Tokens of each text [n], and the share of its words that are unknown or spelled in pieces [n]."""
    tokenizer.no_padding()
    unknown = tokenizer.token_to_id("[UNK]")
    lengths, shares = [], []
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        pieces = np.bincount([word for word in encoding.word_ids if word is not None], minlength=1)
        words = int((pieces > 0).sum())
        lengths.append(len(encoding.ids))
        odd = int((pieces > 1).sum()) + (encoding.ids.count(unknown) if unknown is not None else 0)
        shares.append(min(1.0, odd / words) if words else 0.0)
    return np.array(lengths, np.int32), np.array(shares, np.float32)
