"""What is asked under load: real texts, so that lengths are real."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def sample_texts(texts: Sequence[str], count: int, *, seed: int) -> list[str]:
    """`count` of the texts in a seeded order; when there are fewer, all of them.

    Raises:
        ValueError: there is no text.
    """
    if not texts:
        raise ValueError("No text to ask: a bench needs at least one.")
    chosen = np.random.default_rng(seed).permutation(len(texts))[:count]
    return [texts[index] for index in chosen]
