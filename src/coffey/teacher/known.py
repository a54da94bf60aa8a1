"""The answers that there are to some texts, when the teacher may have been told to skip some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coffey.teacher.protocol import Probabilities

if TYPE_CHECKING:
    from coffey.teacher.store import LabelStore


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """Which of n texts have an answer, and those answers."""

    known: npt.NDArray[np.bool_]
    """[n]"""
    probabilities: Probabilities
    """float32 [texts that are known, labels], in the order of the texts."""


def read_known(store: LabelStore, keys: Sequence[str]) -> KnownAnswers:
    """The answers that `store` holds to `keys`; the others are left out, never guessed."""
    lacking = set(store.missing(keys))
    known = np.array([key not in lacking for key in keys], dtype=np.bool_)
    return KnownAnswers(known, store.read([key for key in keys if key not in lacking]))
