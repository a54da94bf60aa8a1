"""An answer names exactly one label, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.errors import ConfigError
from coffey.teacher.choices import Choices, Spelling

NAMES = st.lists(
    st.text("abc d-_", min_size=1, max_size=6).filter(lambda name: name.strip()),
    min_size=2,
    max_size=6,
    unique_by=lambda name: name.strip(),
)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("good", 1),
        (' "Good".\n', 1),
        ("**good**", 1),
        ("Good, because it is not bad at all", None),
        ("not good", None),
        ("goodness", None),
        ("good or bad", None),
        ("good/very good", None),
        ("Very good!", 2),
        ("", None),
        ("   ", None),
    ],
)
def test_an_answer_is_read_strictly(said, label):
    """Case, white space, quotes and what follows do not matter; a second label, or another word, does."""
    assert Choices(["bad", "good", "very good"]).read(said) == label


@given(NAMES, st.data())
def test_a_label_written_as_it_is_shown_is_read_as_itself(names, data):
    """Whatever the labels, also when one begins as another."""
    choices = Choices(names)
    at = data.draw(st.integers(0, len(names) - 1))
    assert choices.read(f" {names[at]}\n") == at


@given(NAMES, st.data())
def test_no_beginning_of_a_label_rules_it_out(names, data):
    """The walk along an answer cannot lose the label that it spells."""
    choices = Choices(names)
    at = data.draw(st.integers(0, len(names) - 1))
    name = names[at].strip()
    cut = data.draw(st.integers(0, len(name)))
    assert at in choices.begun(f" {name[:cut]}")


def test_letters_are_listed_beside_the_names_and_read_instead_of_them():
    """The name itself is no answer then."""
    choices = Choices(["bad", "good"], Spelling.LETTERS)
    assert choices.listed() == "A: bad\nB: good"
    assert [choices.read(said) for said in ("B", "b.", "B: good", "A or B", "good")] == [1, 1, 1, None, None]


@pytest.mark.parametrize("labels", [("good", "Good "), ("a", '"'), ("x", "X")])
def test_labels_that_would_be_spelled_alike_are_refused(labels):
    """The message names the second one."""
    with pytest.raises(ConfigError, match=r"task\.labels"):
        Choices(labels)
