"""A pruned tokenizer is smaller and can still spell what its texts are made of."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, trainers

from coffey.core.errors import ConfigError
from coffey.students.vocabulary import match_vocabulary, prune_tokenizer, take_census, train_tokenizer

ALPHABET = "abcdefgéß7:' "


def unknowns(tokenizer: Tokenizer, text: str) -> int:
    return tokenizer.encode(text).tokens.count("[UNK]")


def lopsided() -> Tokenizer:
    """A WordPiece vocabulary in which some characters exist only inside longer tokens or in one position."""
    tokens = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "abc",
        "ab",
        "##cd",
        "##d",
        "a",
        "##e",
        "fé",
        "##7",
        "##ß",
    ]
    spec = json.loads(train_tokenizer(["x"], size=10).to_str())
    spec["model"]["vocab"] = {token: index for index, token in enumerate(tokens)}
    spec["added_tokens"] = [entry | {"id": tokens.index(entry["content"])} for entry in spec["added_tokens"]]
    return Tokenizer.from_str(json.dumps(spec))


@settings(max_examples=200, deadline=None)
@given(st.text(ALPHABET, max_size=12))
def test_nothing_becomes_unspellable(text):
    """No text of known characters gets an [UNK] that the old tokenizer would not give, whatever they lack."""
    old = lopsided()
    new, _ = prune_tokenizer(old, ["aß"], size=1)
    assert unknowns(new, text) <= unknowns(old, text)


def test_characters_that_no_text_uses_cost_no_row():
    """They are given up outside ASCII, with the words that have them; all of ASCII stays."""
    old = lopsided()
    seen, unseen = (take_census(old, texts) for texts in (["aß"], ["abc"]))
    assert set(seen.forced) - set(unseen.forced) == {"ß", "##ß"}
    new, _ = prune_tokenizer(old, (), size=0, census=unseen)
    assert new.encode("abcde aß").tokens == ["[CLS]", "a", "##b", "##c", "##d", "##e", "[UNK]", "[SEP]"]


def test_a_character_that_always_stands_alone_has_one_form(tokenizer, texts):
    """BERT's pre-tokenizer sets punctuation apart, so no word goes on with it."""
    forced = set(take_census(tokenizer, texts).forced)
    assert {":", "'", "7", "##7"} <= forced
    assert not {"##:", "##'"} & forced


def test_the_most_used_tokens_stay(tokenizer, texts):
    """The size is kept to, frequent words stay whole, and rare ones are spelled from smaller pieces."""
    census = take_census(tokenizer, texts)
    new, old_ids = prune_tokenizer(tokenizer, texts, size=census.fallback + 6)
    assert new.get_vocab_size() == census.fallback + 6 == len(old_ids)
    assert "the" in new.encode("switch the light").tokens
    assert unknowns(new, "photograph the loudspeaker") == 0
    assert new.encode("photograph").tokens != tokenizer.encode("photograph").tokens


def test_ids_point_at_the_old_embeddings(tokenizer, texts):
    """Every kept token's old id is that token's, and special tokens frame a text as before."""
    new, old_ids = prune_tokenizer(tokenizer, texts, size=200)
    vocabulary = new.get_vocab()
    shared = [token for token in vocabulary if tokenizer.token_to_id(token) is not None]
    assert len(shared) > 60
    for token in shared:
        assert old_ids[vocabulary[token]] == tokenizer.token_to_id(token)
    encoding = new.encode("order espresso")
    assert encoding.tokens[0] == "[CLS]"
    assert encoding.tokens[-1] == "[SEP]"
    assert [new.id_to_token(index) for index in encoding.ids] == encoding.tokens
    assert np.array_equal(match_vocabulary(new, tokenizer), old_ids)


def test_a_vocabulary_that_is_large_enough_changes_no_text(tokenizer, texts):
    """With room for every seen token the transfer set is read as before."""
    census = take_census(tokenizer, texts)
    new, _ = prune_tokenizer(tokenizer, texts, size=census.useful(tokenizer.get_vocab()))
    assert all(new.encode(text).tokens == tokenizer.encode(text).tokens for text in texts)


def test_a_new_tokenizer_spells_its_texts(texts):
    """Training gives a WordPiece tokenizer of at most the asked size, the same each time."""
    first, second = train_tokenizer(texts, size=150), train_tokenizer(texts, size=150)
    assert first.get_vocab_size() <= 150
    assert first.get_vocab() == second.get_vocab()
    assert sum(unknowns(first, text) for text in texts) == 0
    assert first.encode("now").tokens[0] == "[CLS]"


def test_other_tokenizers_are_refused(texts):
    """A byte-pair tokenizer cannot be pruned, and says so."""
    other = Tokenizer(models.BPE(unk_token="[UNK]"))
    other.train_from_iterator(texts, trainers.BpeTrainer(special_tokens=["[UNK]"], show_progress=False))
    with pytest.raises(ConfigError):
        prune_tokenizer(other, texts, size=100)
    assert match_vocabulary(train_tokenizer(texts, size=100), other) is None
