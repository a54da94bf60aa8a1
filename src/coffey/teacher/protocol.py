"""What a teacher is: something that says, for every text, how likely each label is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from coffey.teacher.usage import Usage

if TYPE_CHECKING:
    import tokenizers
    import torch

Probabilities = npt.NDArray[np.float32]
"""float32 [n, labels]; every row sums to 1. Those of a teacher of independent labels (see
`answers.are_independent`) are each in [0, 1] and sum to anything."""

SentenceFeatures = npt.NDArray[np.float32]
"""float32 [n, width]: what a teacher's last linear layer reads of each text."""


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
        """Everything that decides its answers, as JSON values.

        `probabilities` = "sigmoid" in it says that its labels are independent.
        """

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


@runtime_checkable
class SizingTeacher(Protocol):
    """A teacher that says before it is asked how much of a text it reads: batches are cut by that."""

    def lengths(self, texts: Sequence[str]) -> Sequence[int]:
        """Tokens read of each text; a batch of texts of one length needs no padding."""


@runtime_checkable
class FeatureTeacher(Teacher, Protocol):
    """A teacher that shows what its last linear layer reads."""

    def predict_with_features(self, texts: Sequence[str]) -> tuple[Probabilities, SentenceFeatures]:
        """What `Teacher.predict` says of at least one text, and the features that it comes from.

        Both are of one pass of the teacher; features are float32 [len(texts), width], row i of text i.

        Raises:
            TeacherUnavailable: it cannot answer now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Some texts that a teacher is done with."""

    texts: tuple[str, ...]
    probabilities: Probabilities
    """float32 [len(texts), labels]; row i answers text i."""
    features: SentenceFeatures | None = None
    """float32 [len(texts), width], where they were asked for."""
    skipped: tuple[str, ...] = ()
    """Texts that it gave no usable answer to, and that it was told to skip."""
    seconds: float = 0.0
    """Time in which it worked since the part before."""


@runtime_checkable
class StreamingTeacher(Protocol):
    """A teacher that works on many texts at once and gives each answer when it is there."""

    def stream(self, batches: Iterable[Sequence[str]]) -> Iterator[Answered]:
        """Answer every text of every batch, in whatever order the answers come.

        The next batch is taken when there is room for it, in the thread of the caller. All texts differ.
        After a failure no further batch is taken and nothing further is sent; what was sent is waited for
        and given, and then the failure is raised.

        Raises:
            TeacherUnavailable: it cannot answer now.
            LabelRejected: it answered with something that is no label, and was not told to skip that.
        """


@runtime_checkable
class MeteredTeacher(Protocol):
    """A teacher that says what its answers used, so that they are priced by that."""

    @property
    def usage(self) -> Usage:
        """What was used since it was built, malformed answers included."""

    def expected(self, texts: Sequence[str]) -> Usage:
        """What asking `texts` is expected to use, estimated before it is asked."""


@runtime_checkable
class NoisyTeacher(Protocol):
    """A teacher whose answers to one text are not equal to the last digit when it is asked again."""

    def unlike(self, stored: Probabilities, said: Probabilities) -> str | None:
        """Why two answers, float32 [n, labels], to the same n texts cannot both be its own; None if they can.

        Texts are independent; so are an answer and its repetition.
        """
