"""What a teacher is: something that says, for every text, how likely each label is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tokenizers
    import torch

Probabilities = npt.NDArray[np.float32]
"""float32 [n, labels]; every row sums to 1."""


class Teacher(Protocol):
    """Answers texts. `coffey.testing.teacher.check_teacher` checks these duties.

    An answer depends on its text alone: not on the other texts of the call, their order or their number
    (floating-point noise below 1e-4 aside). Equal fingerprints promise equal answers.
    """

    @property
    def source(self) -> str:
        """What the user called it, for messages."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, in the order of the columns of `predict`."""

    @property
    def params(self) -> int | None:
        """How many parameters it has; None when nobody knows."""

    @property
    def fingerprint(self) -> str:
        """Digest of `header`: names the folder that keeps its answers."""

    @property
    def header(self) -> Mapping[str, object]:
        """Everything that decides its answers, as JSON values."""

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """Probabilities, float32 [len(texts), len(labels)]; row i answers text i.

        Raises:
            TeacherUnavailable: it cannot answer now.
            LabelRejected: it answered with something that is no distribution over the labels.
        """

    def close(self) -> None:
        """Give back memory and connections; it is not asked again."""


@runtime_checkable
class ExportableTeacher(Protocol):
    """A teacher whose network can be taken out: to start students from it, and to bench it beside them."""

    @property
    def max_length(self) -> int:
        """Tokens read of a text, special ones included; more is cut."""

    def module(self) -> torch.nn.Module:
        """The network on the CPU, in evaluation mode.

        `forward(input_ids int64 [b, t], attention_mask int64 [b, t])` gives `(logits float32 [b, labels],
        features float32 [b, width])`; features are what the last linear layer reads.
        """

    def tokenizer(self) -> tokenizers.Tokenizer:
        """A fresh copy of its tokenizer, which cuts at `max_length` and does not pad."""

    def encoder(self) -> torch.nn.Module | None:
        """Its BERT-like body (`embeddings`, `encoder.layer`), or None when it has another form."""
