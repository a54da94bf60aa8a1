"""Texts as token ids, in batches of similar length padded to their longest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tokenizers
from transformers import AutoTokenizer

from coffey.core.errors import LabelRejected, TeacherUnavailable
from coffey.teacher.parts import in_parts
from coffey.teacher.quiet import quietly

Ids = npt.NDArray[np.int64]


class Tokens:
    """A checkpoint's tokenizer, cutting at `max_length` tokens (special ones included)."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, *, pad_id: int, max_length: int, side: str) -> None:
        self.pad_id = pad_id
        self.max_length = max_length
        self.side = side
        self._tokenizer = tokenizer
        self._measured: dict[str, list[int]] = {}
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length, direction=side)

    @classmethod
    def load(cls, source: str, folder: Path, *, pad_id: int | None, max_length: int) -> Tokens:
        """The tokenizer of the checkpoint in `folder`; `pad_id` is used when it names no padding itself.

        Raises:
            TeacherUnavailable: no tokenizer that the `tokenizers` library can run, or none that pads.
            LabelRejected: the model needs token types, which neither the student nor the export has.
        """
        try:
            with quietly():
                wrapped = AutoTokenizer.from_pretrained(
                    folder, local_files_only=True, trust_remote_code=False
                )
        except (OSError, ValueError, ImportError) as exc:
            raise TeacherUnavailable(source, f"its tokenizer cannot be loaded ({exc})") from exc
        backend = getattr(wrapped, "backend_tokenizer", None)
        if backend is None:
            raise TeacherUnavailable(source, "its tokenizer has no tokenizer.json; convert it to a fast one")
        pad = wrapped.pad_token_id if wrapped.pad_token_id is not None else pad_id
        if pad is None:
            raise TeacherUnavailable(source, "neither its tokenizer nor its configuration names a pad token")
        own = tokenizers.Tokenizer.from_str(backend.to_str())
        if any(own.encode("a").type_ids):
            raise LabelRejected(source, "token types that are all 0", "a tokenizer that sets others")
        limit = min(max_length, int(min(wrapped.model_max_length, 2**31)))
        return cls(own, pad_id=int(pad), max_length=limit, side=wrapped.truncation_side)

    def copy(self) -> tokenizers.Tokenizer:
        """A fresh tokenizer that cuts in the same way and does not pad."""
        return tokenizers.Tokenizer.from_str(self._tokenizer.to_str())

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text. Their ids are kept for `batches`, until other texts are measured."""
        encoded = self._encode(texts)
        self._measured = dict(zip(texts, encoded, strict=True))
        return [len(ids) for ids in encoded]

    def batches(self, texts: Sequence[str], *, size: int) -> Iterator[tuple[Ids, Ids, Ids]]:
        """Batches `(positions [b], input_ids [b, t], attention_mask [b, t])`, shortest texts first.

        `positions` says which texts a batch holds. Equal `texts` give equal batches.
        """
        known = self._measured
        encoded = [known[text] for text in texts] if known.keys() >= set(texts) else self._encode(texts)
        order = sorted(range(len(encoded)), key=lambda at: len(encoded[at]))
        for part in in_parts(order, size):
            lengths = np.array([len(encoded[at]) for at in part])
            width = max(int(lengths.max()), 1)
            ids = np.full((len(part), width), self.pad_id, dtype=np.int64)
            for row, at in enumerate(part):
                ids[row, : len(encoded[at])] = encoded[at]
            mask = (np.arange(width) < lengths[:, None]).astype(np.int64)
            yield np.array(part, dtype=np.int64), ids, mask

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
