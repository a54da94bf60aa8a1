"""A random sample of texts that depends on a seed and on the texts, not on their order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from coffey.core.ids import digest_bytes, input_key
from coffey.teacher.keys import Keys, pack_keys
from coffey.teacher.parts import in_parts

_AT_ONCE = 4096


def sample_texts(
    texts: Iterable[str], eligible: Callable[[Keys], npt.NDArray[np.bool_]], *, sample: int, seed: int
) -> dict[str, str]:
    """At most `sample` distinct texts whose keys are `eligible`, by key: those of smallest seeded digest.

    Reads `texts` once and keeps only the sample, whatever their number.
    """
    chosen: dict[str, str] = {}
    for part in in_parts(texts, _AT_ONCE):
        by_key = {input_key(text): text for text in part}
        mask = eligible(pack_keys(list(by_key)))
        candidates = chosen | {key: by_key[key] for key, ok in zip(by_key, mask, strict=True) if ok}
        kept = heapq.nsmallest(sample, candidates, key=lambda key: digest_bytes(f"{seed}:{key}".encode()))
        chosen = {key: candidates[key] for key in kept}
    return chosen
