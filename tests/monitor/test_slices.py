"""Slices that fell are found with their numbers, and those that did not are hardly ever named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.records import Audit
from coffey.monitor.baseline import UNPLACED, Baseline
from coffey.monitor.slices import EXAMPLES, FALSE_SHARE, OTHERS, find_slices
from coffey.stats.clusters import UNLIKE, Clusters
from coffey.stats.intervals import wilson

LABELS = tuple(f"label {number}" for number in range(20))
PROMISED = 0.95


def audit(
    index, student, teacher, *, probability=0.1, tokens=8, cluster=0, text="a text", score=None
) -> Audit:
    return Audit(
        id=f"r{index}",
        unix_s=1000.0 + index,
        model="m",
        key=str(index),
        text=text,
        student_label=student,
        teacher_label=teacher,
        agree=teacher == student,
        confidence=0.8,
        probability=probability,
        teacher="t",
        score=score,
        tokens=tokens,
        cluster=cluster,
    )


def baseline(rng, rows=1000, *, level=PROMISED, labels=LABELS, said=LABELS):
    """Labels, lengths and three clusters, each drawn by itself; every second row is one that was fitted."""
    return Baseline(
        labels=labels,
        said=tuple(rng.choice(said, rows).tolist()),
        agreement=(rng.random(rows) < level).astype(np.float64),
        weight=np.ones(rows),
        tokens=rng.integers(4, 20, rows),
        cluster=np.where(np.arange(rows) % 2, rng.integers(0, 3, rows), UNPLACED),
        edges=np.array([8, 12, 16]),
        clusters=Clusters(np.eye(3, dtype=np.float32), 0.5),
    )


def served(rng, count, *, at=0, fallen="", level=PROMISED, aimed=False, **more):
    """Audits of all labels alike; of the label `fallen` agreement is `level`. A fifth of the requests is of
    lower agreement, and audited five times as often where the audits are aimed."""
    hard = rng.random(count) < (1 / 1.8 if aimed else 0.2)
    said = rng.choice(LABELS, count)
    odds = np.where(said == fallen, level, PROMISED)
    agree = rng.random(count) < np.where(hard, odds - 0.12, odds + 0.03)
    return [
        audit(
            at + index,
            str(label),
            str(label) if same else "another",
            probability=0.5 if aimed and unsure else 0.1,
            tokens=int(tokens),
            cluster=int(cluster),
            **more,
        )
        for index, (label, same, unsure, tokens, cluster) in enumerate(
            zip(said, agree, hard, rng.integers(4, 20, count), rng.integers(0, 3, count), strict=True)
        )
    ]


def find(audits, base=None, **more):
    return find_slices(audits, promised=PROMISED, baseline=base, **more)


@pytest.mark.parametrize("aimed", [False, True])
def test_a_small_slice_that_fell_is_found_with_its_numbers(aimed):
    """One label in twenty falls from 0.95 to 0.65 after 6000 audits: named, dated, and most of the drop."""
    rng = np.random.default_rng(101)
    audits = [
        *served(rng, 6000, aimed=aimed),
        *served(rng, 3000, at=6000, fallen="label 7", level=0.65, aimed=aimed),
    ]
    report = find(audits, baseline(rng))
    one = report.found[0]
    assert (one.kind, one.name, one.mistaken_for) == ("label", "answered 'label 7'", "another")
    assert report.examined == len(LABELS) + 4 + 4
    assert abs(one.since_unix_s - 7000) < 1000
    assert one.agreement.low < 0.65 < one.agreement.high
    assert one.agreement_before.low < PROMISED < one.agreement_before.high
    assert 0.03 < one.share < 0.07
    assert 0.03 < one.share_before < 0.07
    assert one.lost == pytest.approx(0.05 * 0.30, abs=0.008)
    assert one.explained == pytest.approx(one.lost / report.drop.value)
    assert [example.id for example in one.examples] == sorted(
        (example.id for example in one.examples), key=lambda name: -int(name[1:])
    )
    assert len(one.examples) == EXAMPLES
    assert all(not example.agree and example.student_label == "label 7" for example in one.examples)
    assert "answered 'label 7'" in report.sentence


def test_false_discoveries_are_no_more_than_stated():
    """Of 40 runs where nothing fell, looked at four times, at most 10 % ever name a slice; aimed audits."""
    rng = np.random.default_rng(102)
    named = 0
    for _ in range(40):
        base, audits = baseline(rng), served(rng, 2000, aimed=True)
        named += any(find(audits[:end], base).found for end in (500, 1000, 1500, 2000))
    assert wilson(named, 40).low <= FALSE_SHARE


def test_beside_a_slice_that_fell_few_others_are_named():
    """Labels that did not fall are at most a tenth of those named, over 12 runs."""
    rng = np.random.default_rng(103)
    shares, hits = [], 0
    for _ in range(12):
        audits = [*served(rng, 2000), *served(rng, 2000, at=2000, fallen="label 3", level=0.5)]
        found = [one.name for one in find(audits, baseline(rng)).found if one.kind == "label"]
        hits += "answered 'label 3'" in found
        shares.append(sum(name != "answered 'label 3'" for name in found) / max(1, len(found)))
    assert hits >= 11
    assert np.mean(shares) <= FALSE_SHARE


def test_requests_that_are_new_are_found_as_growth():
    """Requests unlike those of the promise, from none to an eighth of the traffic, half of them wrong."""
    rng = np.random.default_rng(104)
    fresh = [
        audit(
            3000 + index, "label 1", "label 1" if right else "label 2", cluster=UNLIKE, text="crypto wallet"
        )
        for index, right in enumerate(rng.random(100) < 0.5)
    ]
    late = [*served(rng, 700, at=3000, text="where is my order"), *fresh]
    audits = [*served(rng, 3000, text="where is my order"), *[late[i] for i in rng.permutation(800)]]
    report = find(
        [*audits[:3000], *sorted(audits[3000:], key=lambda one: one.id)], baseline(rng), change=3000
    )
    one = next(one for one in report.found if one.kind == "cluster")
    assert one.name == "unlike those of the promise (crypto, wallet)"
    assert (one.agreement_before, one.drop, one.share_before) == (None, None, 0.0)
    assert one.share == pytest.approx(0.125)
    assert one.explained > 0.6
    assert "which there were none of" in report.sentence


def test_more_traffic_that_does_as_promised_is_no_finding():
    """A label that grows from a twentieth to a half of the traffic and keeps the promise explains nothing."""
    rng = np.random.default_rng(105)
    grown = [one for one in served(rng, 24_000, at=2000) if one.student_label == "label 5"]
    audits = [*served(rng, 2000), *served(rng, 1000, at=2000), *grown[:1000]]
    assert find(audits, baseline(rng)).found == ()


def test_the_same_requests_are_named_once():
    """A length and a label that hold the same requests: the second points at the first."""
    rng = np.random.default_rng(106)
    alike = [
        audit(3000 + index, "label 1", "label 1" if right else "label 2", tokens=30)
        for index, right in enumerate(rng.random(150) < 0.3)
    ]
    mixed = served(rng, 850, at=3000)
    audits = [*served(rng, 3000), *[one for pair in zip(mixed, alike, strict=False) for one in pair]]
    found = find(audits, baseline(rng), change=3000).found
    assert {one.kind for one in found} >= {"label", "length"}
    assert found[0].same_as is None
    assert all(one.same_as == found[0].name for one in found[1:])


def test_without_a_baseline_labels_are_looked_at():
    """Champions of earlier versions have none: what is before is then the audits before."""
    rng = np.random.default_rng(107)
    audits = [*served(rng, 4000), *served(rng, 2000, at=4000, fallen="label 2", level=0.4)]
    report = find(audits)
    assert (report.found[0].name, report.found[0].kind) == ("answered 'label 2'", "label")
    assert report.examined == len(LABELS)


def test_labels_of_a_set_are_slices_each():
    """A multi-label answer belongs to every label in it; scores between 0 and 1 count as they are."""
    rng = np.random.default_rng(108)
    audits = [
        audit(index, '["a","b"]' if index % 2 else '["c"]', "[]", score=0.5 if index % 2 else 1.0)
        for index in range(400)
    ]
    base = baseline(rng, labels=("a", "b", "c"), said=('["a","b"]', '["c"]'))
    report = find(audits, base)
    assert {one.name for one in report.found if one.kind == "label"} >= {"answered 'a'", "answered 'b'"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=40))
def test_slices_hold_what_they_were_given(said):
    """Few audits show no fall; the labels with the most disagreement come first, with the latest examples."""
    audits = [audit(index, *labels) for index, labels in enumerate(said)]
    report = find(audits)
    assert (report.found, report.drop, report.since_unix_s) == ((), None, None)
    assert len(report.others) <= OTHERS
    missed = [sum(shown(one, other) and not one.agree for one in audits) for other in report.others]
    assert missed == sorted(missed, reverse=True)
    assert all(missed)
    for one in report.others:
        assert one.audits == sum(shown(each, one) for each in audits)
        assert all(shown(each, one) and not each.agree for each in one.examples)
        assert one.agreement.low <= one.agreement.value <= one.agreement.high


def shown(one, found):
    return found.name == f"answered {one.student_label!r}"
