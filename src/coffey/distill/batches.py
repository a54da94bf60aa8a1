"""Texts as token ids, tokenized once, and their batches of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

_WINDOW = 50
"""Batches that are sorted by length together: enough to waste little padding, few enough to stay random."""

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Token ids of many texts, end to end."""

    ids: np.ndarray
    """int32 [all tokens]."""
    offsets: np.ndarray
    """int64 [texts + 1]: text i is `ids[offsets[i]:offsets[i + 1]]`."""
    padding: int
    """The id of the padding token."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """int64 [texts], in tokens."""
        return np.diff(self.offsets)

    def pad(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """`input_ids` and `attention_mask`, int64 [rows, longest of the rows]."""
        lengths = self.lengths[rows]
        input_ids = np.full((len(rows), int(lengths.max())), self.padding, dtype=np.int64)
        mask = np.arange(input_ids.shape[1]) < lengths[:, None]
        for place, row in enumerate(rows):
            input_ids[place, : lengths[place]] = self.ids[self.offsets[row] : self.offsets[row + 1]]
        return torch.from_numpy(input_ids), torch.from_numpy(mask.astype(np.int64))

    def renumber(self, new_ids: np.ndarray) -> Tokenized:
        """The same tokens under other ids: `new_ids` [vocabulary] maps each id here to one there."""
        return Tokenized(new_ids[self.ids].astype(np.int32), self.offsets, self.padding)


def tokenize(tokenizer: Tokenizer, texts: Sequence[str], *, max_length: int) -> Tokenized:
    """Token ids of `texts`, with the special tokens, cut at `max_length`. Leaves the tokenizer alone."""
    cutting = Tokenizer.from_str(tokenizer.to_str())
    cutting.no_padding()
    cutting.enable_truncation(max_length)
    rows: list[np.ndarray] = []
    for start in range(0, len(texts), _CHUNK):
        encoded = cutting.encode_batch_fast(list(texts[start : start + _CHUNK]))
        rows.extend(np.asarray(encoding.ids, dtype=np.int32) for encoding in encoded)
    padding = padding_id(tokenizer)
    rows = [row if len(row) else np.asarray([padding], dtype=np.int32) for row in rows]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return Tokenized(np.concatenate(rows) if rows else np.empty(0, np.int32), offsets, padding)


def padding_id(tokenizer: Tokenizer) -> int:
    """The id of `[PAD]` or `<pad>`; 0 where there is neither (padding is masked, so any id will do)."""
    for token in ("[PAD]", "<pad>"):
        found = tokenizer.token_to_id(token)
        if found is not None:
            return int(found)
    return 0


def epoch_batches(
    rows: np.ndarray, lengths: np.ndarray, *, size: int, seed: int, epoch: int
) -> list[np.ndarray]:
    """The batches of one epoch: each row exactly once, similar lengths together; seed and epoch decide all.

    Args:
        rows: int64, the rows to train on.
        lengths: int64 [all rows], in tokens.
        size: rows a batch; the last one may have fewer.
        seed: of the order.
        epoch: from 0; every epoch has its own order.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(rows)
    batches: list[np.ndarray] = []
    for start in range(0, len(order), size * _WINDOW):
        window = order[start : start + size * _WINDOW]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches.extend(window[place : place + size] for place in range(0, len(window), size))
    return [batches[place] for place in generator.permutation(len(batches))]


def by_length(rows: np.ndarray, lengths: np.ndarray, *, size: int) -> Iterator[np.ndarray]:
    """Batches of `rows` from short to long, for answering."""
    order = rows[np.argsort(lengths[rows], kind="stable")]
    for start in range(0, len(order), size):
        yield order[start : start + size]
