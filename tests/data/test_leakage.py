"""Transfer rows that repeat the holdout are found, all of the exact and only true near-duplicates."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.ids import input_key
from coffey.core.records import Example
from coffey.data.leakage import find_leaks
from coffey.data.shingles import Numbering, jaccard, triples, words


def examples(*texts):
    return [Example(text, line=line) for line, text in enumerate(texts, start=1)]


def similarity(one, other):
    numbering = Numbering()
    return jaccard(triples(numbering.learn(words(one))), triples(numbering.learn(words(other))))


def test_exact_and_near_duplicates_are_counted_by_row():
    """Rows are counted, keys are named, pairs show what was found."""
    transfer = examples(
        "please turn on the light in the kitchen now",
        "Please, turn on the light in the kitchen NOW!",
        "please turn on the light in the kitchen now",
        "something else entirely, about the weather",
        "please turn off the heating in the bathroom now",
    )
    holdout = examples("please turn on the light in the kitchen now", "unrelated words that nobody says")
    report = find_leaks(transfer, holdout, near_duplicate=0.8)
    assert (report.transfer, report.holdout) == (5, 2)
    assert (report.exact, report.near, report.duplicates) == (2, 1, 1)
    assert report.leaking == {input_key(transfer[0].text), input_key(transfer[1].text)}
    assert [(pair.transfer.line, pair.holdout.line, pair.similarity) for pair in report.pairs] == [
        (2, 1, 1.0),
        (1, 1, 1.0),
    ]


def test_short_texts_leak_only_word_for_word():
    """One or two words have no 3-gram: they match when their words are the same."""
    transfer = examples("yes", "Yes!", "yes please", "no", "!?", "thank you")
    holdout = examples("yes", "thanks you", "?!", "Thank you.")
    report = find_leaks(transfer, holdout, near_duplicate=0.5)
    assert report.leaking == {input_key(text) for text in ("yes", "Yes!", "thank you")}


@pytest.mark.parametrize(("transfer", "holdout"), [((), ()), (("a b c d",), ()), ((), ("a b c d",))])
def test_empty_sets_leak_nothing(transfer, holdout):
    """Nothing on one side is no leak and no error."""
    report = find_leaks(examples(*transfer), examples(*holdout), near_duplicate=0.8)
    assert report.leaking == frozenset()
    assert (report.transfer, report.holdout) == (len(transfer), len(holdout))


WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1, max_size=9).map(" ".join)


@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=8), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_every_reported_leak_is_true_and_exact_ones_are_complete(transfer, holdout, threshold):
    """No false positive ever; exact repeats and equal word sets are never missed."""
    report = find_leaks(examples(*transfer), examples(*holdout), near_duplicate=threshold)
    best = {text: max((similarity(text, other) for other in holdout), default=0.0) for text in transfer}
    leaking = {text for text in transfer if input_key(text) in report.leaking}
    assert all(best[text] >= threshold for text in leaking)
    assert {text for text in transfer if text in holdout} <= leaking
    assert {text for text in transfer if best[text] == 1.0} <= leaking
    assert report.exact + report.near == sum(text in leaking for text in transfer)


def test_nearly_every_near_duplicate_is_found():
    """Against brute force over 600 edited texts, at most the promised share is missed."""
    rng = random.Random(5)
    vocabulary = [f"word{number}" for number in range(400)]
    holdout = [" ".join(rng.choices(vocabulary, k=30)) for _ in range(300)]
    transfer = []
    for text in holdout * 2:
        parts = text.split()
        for _ in range(rng.randint(0, 4)):
            parts[rng.randrange(len(parts))] = rng.choice(vocabulary)
        transfer.append(" ".join(parts))
    report = find_leaks(examples(*transfer), examples(*holdout), near_duplicate=0.6)
    near = [text for place, text in enumerate(transfer) if similarity(text, holdout[place % 300]) >= 0.6]
    missed = sum(input_key(text) not in report.leaking for text in near)
    assert len(near) > 150
    assert missed <= 3


def test_chunks_do_not_change_the_result(monkeypatch):
    """A stream read in small pieces gives the same report."""
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(list("abcdef"), 6)) for _ in range(300)]
    whole = find_leaks(examples(*texts[:200]), examples(*texts[150:]), near_duplicate=0.5)
    monkeypatch.setattr("coffey.data.leakage.CHUNK", 7)
    pieces = find_leaks(iter(examples(*texts[:200])), iter(examples(*texts[150:])), near_duplicate=0.5)
    assert pieces.leaking == whole.leaking
    assert (pieces.exact, pieces.near, pieces.duplicates) == (whole.exact, whole.near, whole.duplicates)
    assert whole.leaking
