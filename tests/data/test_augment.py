"""Made texts are new, repeatable, and made of the words of the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffey.data.augment import make_texts

TEXTS = ["where is my parcel today", "please change the password of my account", "a refund for this invoice"]


@given(st.lists(st.text("ab c", max_size=12), max_size=6), st.integers(0, 20), st.integers(0, 3))
def test_made_texts_are_distinct_new_and_repeatable(texts, count, seed):
    """Never more than asked for, whatever the texts are; no word that was not there."""
    made = make_texts(texts, count, seed=seed)
    assert made == make_texts(texts, count, seed=seed)
    assert len(made) == len(set(made)) <= count
    assert not set(made) & set(texts)
    words = {word for text in texts for word in text.split()}
    assert all(text and set(text.split()) <= words for text in made)


def test_ordinary_texts_give_as_many_as_wanted():
    """Of every text, in turn; another seed makes others."""
    made = make_texts(TEXTS, 60, seed=1)
    assert len(made) == 60
    assert make_texts(TEXTS, 60, seed=2) != made


def test_nothing_is_made_of_nothing():
    """No text, or texts without a word."""
    assert make_texts([], 5, seed=0) == make_texts([" ", ""], 5, seed=0) == []
