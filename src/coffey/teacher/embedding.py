"""Embeddings of texts by the same path that a headed teacher takes, to fit its head on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coffey.teacher.inference import best_device, on_torch, run_texts
from coffey.teacher.networks import load_embedder, longest
from coffey.teacher.snapshot import locate
from coffey.teacher.tokens import Tokens


def embed(
    source: str,
    texts: Sequence[str],
    *,
    revision: str | None = None,
    batch_size: int = 32,
    max_length: int = 128,
    threads: int | None = None,
    device: str = "auto",
) -> npt.NDArray[np.float32]:
    """Embeddings, float32 [len(texts), width], of a sentence-embedding checkpoint (folder or hub id).

    Raises:
        TeacherUnavailable: it cannot be loaded, or failed.
        LabelRejected: a pooling that is neither mean nor cls.
    """
    folder = locate(source, revision=revision).folder
    chosen = best_device(device)
    embedder = load_embedder(source, folder)
    tokens = Tokens.load(
        source,
        folder,
        pad_id=embedder.body.config.pad_token_id,
        max_length=longest(embedder.body, max_length),
    )
    embedder = embedder.to(chosen)
    forward = on_torch(lambda ids, mask: (embedder(ids, mask),), threads=threads, device=chosen)
    (embeddings,) = run_texts(source, forward, texts, tokens=tokens, batch_size=batch_size)
    return embeddings
