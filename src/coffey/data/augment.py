"""New texts made from known ones, for a teacher to answer: what they mean is for it to say.

Words are replaced by words of other texts and left out (Tang et al. 2019, "Distilling task-specific knowledge
from BERT into simple neural networks"), and half of the texts go on with the end of another.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

REPLACED = 0.15
"""Chance that a word is replaced by a random one of all texts."""
LEFT_OUT = 0.1
"""As in Tang et al. 2019."""
SPLICED = 0.5
"""Chance that the beginning of a text is joined to the end of another."""
_TRIES = 5
"""Texts tried for each one that is wanted: short ones often come out as they were."""


def make_texts(texts: Sequence[str], count: int, *, seed: int) -> list[str]:
    """Up to `count` distinct texts that are not among `texts`; the same for the same arguments.

    Every text is taken in turn as the one to start from. Words are what blanks separate.
    """
    draw = random.Random(seed)
    split = [text.split() for text in texts]
    pool = [word for words in split for word in words]
    known = set(texts)
    made: dict[str, None] = {}
    for attempt in range(_TRIES * count if pool else 0):
        if len(made) == count:
            break
        words = _changed(split[attempt % len(split)], pool, draw)
        if draw.random() < SPLICED:
            words = _spliced(words, draw.choice(split), draw)
        text = " ".join(words)
        if text and text not in known:
            made[text] = None
    return list(made)


def _changed(words: Sequence[str], pool: Sequence[str], draw: random.Random) -> list[str]:
    replaced = [draw.choice(pool) if draw.random() < REPLACED else word for word in words]
    return [word for word in replaced if draw.random() >= LEFT_OUT]


def _spliced(words: Sequence[str], other: Sequence[str], draw: random.Random) -> list[str]:
    return [*words[: draw.randint(0, len(words))], *other[draw.randint(0, len(other)) :]]
