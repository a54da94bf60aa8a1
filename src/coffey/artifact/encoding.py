"""Texts to token ids: one rule for training checks, export, bench and serving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from coffey.core.errors import ArtifactError

_PAD_TOKENS = ("[PAD]", "<pad>")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch of n texts as ids, padded to the longest of them (t tokens)."""

    input_ids: npt.NDArray[np.int64]
    """[n, t]"""
    attention_mask: npt.NDArray[np.int64]
    """[n, t]: 1 for a token, 0 for padding."""

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each text [n]."""
        return np.asarray(self.attention_mask.sum(axis=1))


class TextEncoder:
    """Cuts texts to `max_length` tokens and pads a batch to its longest text."""

    def __init__(self, tokenizer: bytes, max_length: int) -> None:
        """Build from the bytes of a `tokenizer.json`; its own padding and truncation settings are replaced.

        Raises:
            ArtifactError: the bytes are no tokenizer.
        """
        try:
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
        except Exception as exc:  # the Rust side raises nothing narrower
            raise ArtifactError(f"tokenizer.json cannot be read: {exc}") from exc
        self._pad = pad_id(self._tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode n texts, in order. A text without tokens becomes one padding token that is attended to."""
        rows = [encoding.ids or [self._pad] for encoding in self._encode(list(texts))]
        if len(rows) == 1:
            ids = np.array(rows, dtype=np.int64)
            return Encoded(ids, np.ones_like(ids))
        longest = max(map(len, rows), default=0)
        ids = np.full((len(rows), longest), self._pad, dtype=np.int64)
        mask = np.zeros((len(rows), longest), dtype=np.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        return Encoded(ids, mask)

    def _encode(self, texts: list[str]) -> list[Encoding]:
        try:
            return self._tokenizer.encode_batch_fast(texts)
        except TypeError:  # a lone surrogate, which UTF-8 cannot spell
            return self._tokenizer.encode_batch_fast([_speakable(text) for text in texts])


def _speakable(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def pad_id(tokenizer: Tokenizer) -> int:
    """The id that a batch is padded with."""
    if tokenizer.padding is not None:
        return int(tokenizer.padding["pad_id"])
    for token in _PAD_TOKENS:
        found = tokenizer.token_to_id(token)
        if found is not None:
            return int(found)
    return 0
