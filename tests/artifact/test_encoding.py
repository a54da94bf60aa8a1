"""Any string becomes ids, whatever it holds, and padding never leaks into the mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from coffey.artifact.encoding import TextEncoder
from coffey.core.errors import ArtifactError


def test_a_batch_is_padded_to_its_longest_text(tiny):
    """Ids, then the padding token, with a mask that tells them apart."""
    encoded = TextEncoder(tiny.tokenizer(), tiny.max_length).encode(["play", "play the music"])
    assert encoded.input_ids.tolist() == [[2, 4, 3, 0, 0], [2, 4, 6, 7, 3]]
    assert encoded.attention_mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert encoded.lengths.tolist() == [3, 5]
    assert encoded.input_ids.dtype == encoded.attention_mask.dtype == np.int64


def test_a_long_text_is_cut_and_keeps_its_end_token(tiny):
    """At most `max_length` ids."""
    encoded = TextEncoder(tiny.tokenizer(), tiny.max_length).encode(["play " * 100_000])
    assert encoded.input_ids.shape == (1, tiny.max_length)
    assert encoded.input_ids[0, -1] == 3


def test_a_text_without_tokens_has_one_that_is_attended_to(tiny):
    """No row of a mask is empty, so nothing divides by zero."""
    encoder = TextEncoder(tiny.tokenizer(special=False), tiny.max_length)
    assert encoder.encode([""]).attention_mask.tolist() == [[1]]
    assert encoder.encode(["", "play now"]).attention_mask.tolist() == [[1, 0], [1, 1]]


def test_no_texts_are_no_rows(tiny):
    """An empty batch has a shape too."""
    assert TextEncoder(tiny.tokenizer(), 8).encode([]).input_ids.shape == (0, 0)


@given(st.lists(st.text(st.characters(codec=None, exclude_categories=())), max_size=5))
def test_any_string_can_be_encoded(texts):
    """Lone surrogates, emoji, control characters: every row has a token and every id is in the vocabulary."""
    encoded = ENCODER.encode(texts)
    assert encoded.input_ids.shape == encoded.attention_mask.shape
    assert len(encoded.input_ids) == len(texts)
    assert (encoded.lengths > 0).all()
    assert ((encoded.input_ids >= 0) & (encoded.input_ids < 10)).all()


@pytest.mark.parametrize("text", ["play \ud800", "\udfff play", "play \ud800\ud800 \U0001f600"])
def test_a_lone_surrogate_is_an_unknown_character(tiny, text):
    """JSON can spell it and UTF-8 cannot; the rest of the text, and of the batch, is read all the same."""
    encoded = TextEncoder(tiny.tokenizer(), tiny.max_length).encode([text, "stop"])
    assert 4 in encoded.input_ids[0].tolist()
    assert 1 in encoded.input_ids[0].tolist()
    assert encoded.input_ids[1, :3].tolist() == [2, 5, 3]


def test_the_tokenizers_own_padding_token_is_used(tiny):
    """A tokenizer.json that states its padding is believed; its fixed lengths are not."""
    tokenizer = Tokenizer.from_str(tiny.tokenizer().decode())
    tokenizer.enable_padding(pad_id=9, pad_token="please", length=64)
    tokenizer.enable_truncation(3)
    encoder = TextEncoder(tokenizer.to_str().encode(), 6)
    assert encoder.encode(["play", "play the music now"]).input_ids.tolist() == [
        [2, 4, 3, 9, 9, 9],
        [2, 4, 6, 7, 8, 3],
    ]


def test_without_any_padding_token_the_first_id_is_used(tiny):
    """What is masked does not matter."""
    plain = tiny.tokenizer().replace(b"[PAD]", b"[NIL]")
    assert TextEncoder(plain, 8).encode(["play", "play now"]).input_ids.tolist()[0][-1] == 0


def test_bytes_that_are_no_tokenizer_are_refused():
    """As an ArtifactError."""
    with pytest.raises(ArtifactError, match=r"tokenizer\.json"):
        TextEncoder(b"{}", 8)


def _encoder() -> TextEncoder:
    from tokenizers import models, pre_tokenizers

    words = {word: i for i, word in enumerate(["[PAD]", "[UNK]", *"abcdefgh"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return TextEncoder(tokenizer.to_str().encode(), 16)


ENCODER = _encoder()
