"""Slices: the labels with the most disagreement come first, with what the student says instead."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffey.core.records import Audit
from coffey.monitor.slices import EXAMPLES, slices


def audit(index: int, teacher: str, student: str, probability: float = 0.5) -> Audit:
    return Audit(
        id=str(index),
        unix_s=float(index),
        model="m",
        key=str(index),
        text=f"text {index}",
        student_label=student,
        teacher_label=teacher,
        agree=teacher == student,
        confidence=0.8,
        probability=probability,
        teacher="t",
    )


def test_the_worst_label_comes_first_with_its_latest_examples():
    """Ordered by disagreements; a label without any is left out."""
    said = [("a", "a"), ("a", "b"), ("b", "c"), ("b", "a"), ("b", "a"), ("b", "a"), ("c", "c")]
    found = slices([audit(index, *labels) for index, labels in enumerate(said)])
    assert [(one.label, one.audits, one.mistaken_for) for one in found] == [("b", 4, "a"), ("a", 2, "b")]
    assert [example.id for example in found[0].examples] == ["5", "4", "3"]
    assert len(found[0].examples) == EXAMPLES


def test_agreement_is_over_requests_not_audits():
    """An audit that was chosen with a quarter of the probability stands for four times the requests."""
    (found,) = slices([audit(0, "a", "a", 1.0), audit(1, "a", "b", 0.25)])
    assert found.agreement.value == 0.2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=40))
def test_slices_hold_what_they_were_given(said):
    """No audit is in two slices, every example is a disagreement of its slice, no audits make no slice."""
    audits = [audit(index, *labels) for index, labels in enumerate(said)]
    found = slices(audits)
    assert len({one.label for one in found}) == len(found)
    for one in found:
        assert one.audits == sum(each.teacher_label == one.label for each in audits)
        assert all(each.teacher_label == one.label and not each.agree for each in one.examples)
        assert one.agreement.low <= one.agreement.value <= one.agreement.high
