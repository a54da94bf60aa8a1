"""Every request is in one length and one cluster, in each of its labels, and clusters are named by words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coffey.core.records import Audit
from coffey.monitor.baseline import UNPLACED, Baseline
from coffey.monitor.slice_groups import CLUSTER, LABEL, LENGTH, Rows, groups, telling_words
from coffey.stats.clusters import UNLIKE, Clusters

AUDIT = Audit(
    id="r",
    unix_s=1.0,
    model="m",
    key="k",
    text="t",
    student_label="a",
    teacher_label="a",
    agree=True,
    confidence=0.9,
    probability=0.1,
    teacher="t",
    tokens=9,
    cluster=1,
)
BASELINE = Baseline(
    labels=("a", "b", "never"),
    said=("a", "b", "a"),
    agreement=np.array([1.0, 0.0, 1.0]),
    weight=np.array([1.0, 0.5, 1.0]),
    tokens=np.array([5, 9, 30]),
    cluster=np.array([UNPLACED, 0, UNLIKE]),
    edges=np.array([6, 12]),
    clusters=Clusters(np.eye(2, dtype=np.float32), 0.5),
)


def looked(audits, baseline=BASELINE):
    rows = Rows.of(audits, baseline, None)
    return rows, {(one.kind, one.name): one for one in groups(rows, baseline)}


def test_examples_come_first_and_audits_are_weighed():
    """Weights are in proportion to the requests that a row stands for."""
    rows, _ = looked([AUDIT, replace(AUDIT, probability=0.4)])
    assert rows.known == 3
    assert rows.weight.tolist() == [1.0, 0.5, 1.0, 1.0, 0.25]
    assert rows.agreement.tolist() == [1, 0, 1, 1, 1]


def test_every_row_that_can_be_placed_is_in_one_slice_of_each_kind():
    """An audit without tokens or cluster, and an example that was fitted, count in no length or cluster."""
    unknown = replace(AUDIT, tokens=None, cluster=None)
    rows, found = looked([AUDIT, unknown])
    for kind in (LABEL, LENGTH, CLUSTER):
        members = sum(
            (one.inside & (one.weight > 0)).astype(int) for (of, _), one in found.items() if of == kind
        )
        missing = {LABEL: set(), LENGTH: {4}, CLUSTER: {0, 4}}[kind]
        assert members.tolist() == [int(row not in missing) for row in range(len(rows.said))]
    assert {name for kind, name in found if kind == LABEL} == {f"answered {one!r}" for one in BASELINE.labels}


def test_lengths_are_said_in_tokens():
    """From the edges; a single bin where all texts are as long."""
    _, found = looked([AUDIT])
    names = [name for kind, name in found if kind == LENGTH]
    assert names == ["of up to 5 tokens", "of 6 to 11 tokens", "of 12 tokens or more"]
    _, found = looked([AUDIT], replace(BASELINE, edges=np.zeros(0, np.int64)))
    assert [name for kind, name in found if kind == LENGTH] == ["of any length"]


def test_a_set_of_labels_belongs_to_each():
    """Of a multi-label task; an empty answer to none."""
    audits = [replace(AUDIT, student_label=said, score=0.5) for said in ('["a","b"]', '["b"]', "[]")]
    _, found = looked(audits, replace(BASELINE, said=("[]", "[]", '["a"]')))
    assert found[LABEL, "answered 'a'"].inside.tolist() == [False, False, True, True, False, False]
    assert found[LABEL, "answered 'b'"].inside.tolist() == [False, False, False, True, True, False]


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        (["my crypto wallet", "a crypto wallet", "crypto wallet now"], ["my card"] * 5, ("crypto", "wallet")),
        (["[dropped]"] * 5, ["[dropped]"] * 5, ()),
        (["one two", "three four"], ["five"], ()),
    ],
)
def test_words_tell_a_cluster(inside, outside, words):
    """Frequent within and rare without; none where texts were not kept or each word is rare."""
    audits = [replace(AUDIT, text=text) for text in (*inside, *outside)]
    assert telling_words(audits, np.arange(len(audits)) < len(inside)) == words
