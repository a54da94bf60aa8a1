"""Recent requests: those to learn from and those to judge by, drawn so that no text is ever in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coffey.core.ids import input_key
from coffey.core.records import Audit
from coffey.data.split import in_validation

_OTHER_DRAW = 1
"""Added to the seed of the validation split, so that who judges is drawn independently of it."""


@dataclass(frozen=True, slots=True)
class Recent:
    """What is known of the traffic since the change."""

    texts: Mapping[str, int]
    """Distinct texts, or a uniform sample of them, with the requests that each stands for."""
    audits: Sequence[Audit]


@dataclass(frozen=True, slots=True)
class Fresh:
    """Recent requests to be learned from, and others to judge by. No text is in both."""

    learn: tuple[str, ...]
    judge: tuple[str, ...]
    """In an order that owes nothing to their answers."""
    counts: tuple[int, ...]
    """Requests that each judging text stands for: agreement is promised, and watched, over requests."""

    def first(self, judges: int) -> Fresh:
        """The same with the first of the judging texts alone."""
        return Fresh(self.learn, self.judge[:judges], self.counts[:judges])


def sample_recent(
    recent: Recent,
    *,
    limit: int,
    judge_share: float,
    without: frozenset[str],
    seed: int,
    learned: frozenset[str] = frozenset(),
) -> Fresh:
    """Distinct recent requests to learn from, about `1 - judge_share` of `limit`, and others to judge by.

    Both are chosen uniformly; all on the side that judges do, since the teacher is asked about few of them.
    Audited requests are learned from as well, beyond the limit: their answers are paid for. `without` holds
    keys (of the old holdout) that must not be learned from, `learned` keys that the champion has learned,
    which cannot judge it. A text's side is the same in every run, so that no later champion is judged by
    what an earlier run learned; the draw is not the validation split's, which would leave none of the fresh
    texts to choose the best weights by.
    """

    def judges(key: str) -> bool:
        return key not in learned and in_validation(key, share=judge_share, seed=seed + _OTHER_DRAW)

    by_key = {input_key(text): text for text in recent.texts}
    counts = {key: recent.texts[text] for key, text in by_key.items()}
    keys = sorted(key for key in by_key if key not in without)
    order = np.random.default_rng(seed).permutation(len(keys))
    chosen = [keys[int(index)] for index in order]
    judge = [key for key in chosen if judges(key)]
    learn = dict.fromkeys(key for key in chosen[:limit] if not judges(key))
    texts = dict(by_key)
    for audit in recent.audits:
        key = input_key(audit.text)  # which is not `audit.key` where the text was redacted
        if not judges(key) and key not in without:
            learn[key] = None
            texts[key] = audit.text
    return Fresh(
        tuple(texts[key] for key in learn),
        tuple(texts[key] for key in judge),
        tuple(counts[key] for key in judge),
    )
