"""Probabilities of tokens become probabilities of labels, and none is made up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.teacher.choices import Choices
from coffey.teacher.logprobs import Candidate, Position, label_mass


def at(taken: str, chance: float, **others: float) -> Position:
    named = tuple(Candidate(token, math.log(p)) for token, p in others.items())
    return Position(Candidate(taken, math.log(chance)), named)


def test_a_label_of_several_tokens_is_followed_to_its_end():
    """0.6 x 0.9 for 'card lost', 0.6 x 0.1 for 'card stolen', and 0.3 for 'other'."""
    choices = Choices(["card lost", "card stolen", "other"])
    answer = [at("card", 0.6, other=0.3), at(" lost", 0.9, **{" stolen": 0.1})]
    np.testing.assert_allclose(label_mass(choices, answer), [0.54, 0.06, 0.3])


def test_what_a_beginning_leaves_open_is_shared_evenly():
    """'card' was not taken, so nobody knows how it would have gone on."""
    choices = Choices(["card lost", "card stolen", "other"])
    np.testing.assert_allclose(label_mass(choices, [at("other", 0.5, card=0.4)]), [0.2, 0.2, 0.5])


def test_a_beginning_that_goes_on_to_another_word_gives_nothing():
    """'goo' leaves 'good' alone, but the answer was 'goon'."""
    choices = Choices(["bad", "good"])
    np.testing.assert_allclose(label_mass(choices, [at("goo", 0.7, bad=0.2), at("n", 0.9)]), [0.2, 0.0])


def test_white_space_first_is_passed_over():
    """The label may stand at the second position."""
    choices = Choices(["bad", "good"])
    answer = [at("\n", 0.8, bad=0.1), at("good", 0.5, bad=0.5)]
    np.testing.assert_allclose(label_mass(choices, answer), [0.1 + 0.4, 0.4])


def test_an_answer_cut_off_within_its_label_still_counts():
    """With one token, the beginning of the only label that begins so is enough."""
    assert label_mass(Choices(["bad", "excellent"]), [at("excel", 0.9)]).tolist() == pytest.approx([0, 0.9])


TOKENS = st.sampled_from(["ca", "card", " lost", " stolen", "other", "o", " ", "\n", "x", "d"])


@given(st.lists(st.tuples(TOKENS, st.dictionaries(TOKENS, st.floats(0.01, 1), max_size=5)), max_size=4))
def test_the_mass_of_all_labels_is_never_above_one(drawn):
    """Whatever the tokens and their probabilities."""
    answer = []
    for taken, weights in drawn:
        chances = {token: p for token, p in weights.items() if token != taken} | {taken: 0.5}
        total = sum(chances.values())
        chances = {token: p / total for token, p in chances.items()}
        answer.append(at(taken, chances.pop(taken), **chances))
    mass = label_mass(Choices(["card lost", "card stolen", "other"]), answer)
    assert (mass >= 0).all()
    assert mass.sum() <= 1 + 1e-9
