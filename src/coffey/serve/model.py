"""What the server needs of a model; `artifact.predictor.Predictor` is the one in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from coffey.artifact.encoding import Encoded
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.scoring import Scoring


class Model(Protocol):
    """A loaded student. It is never asked by two threads at once."""

    @property
    def digest(self) -> str:
        """The artifact's digest."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, in the order of the columns of `predict`."""

    @property
    def scoring(self) -> Scoring:
        """How probabilities are read as labels."""

    @property
    def bins(self) -> ConfidenceBins | None:
        """How often it agrees with its teacher, by confidence; None where that is not known."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Token ids of the texts."""

    def probabilities(self, encoded: Encoded) -> NDArray[np.float32]:
        """Probabilities, float32 [len(texts), len(labels)]; releases the interpreter while it computes."""
