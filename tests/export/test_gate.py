"""The gate holds the lower bound, not the estimate, and says which figure was missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coffey.core.records import Interval, Quality
from coffey.core.settings import BudgetSettings
from coffey.export.gate import gate

BUDGET = BudgetSettings(min_retention=0.97, min_agreement=0.9)
HIGH, LOW = Interval(0.98, 0.97, 0.99), Interval(0.95, 0.94, 0.96)


def quality(agreement: Interval, retention: Interval | None = None) -> Quality:
    return Quality(1000, agreement, 0 if retention is None else 900, retention, retention, retention)


def test_retention_decides_where_there_are_labels():
    """Agreement is not looked at."""
    assert gate(quality(Interval(0.1, 0.0, 0.2), HIGH), BUDGET).passed
    refused = gate(quality(HIGH, LOW), BUDGET)
    assert not refused.passed
    assert "retention 0.9500" in refused.reason
    assert "0.9400 to 0.9600, 900 examples" in refused.reason
    assert "budget.min_retention = 0.97" in refused.reason


def test_agreement_decides_where_there_are_none():
    """Against its own floor."""
    assert gate(quality(LOW), BUDGET).passed
    refused = gate(quality(Interval(0.85, 0.8, 0.89)), BUDGET)
    assert not refused.passed
    assert "budget.min_agreement = 0.9" in refused.reason


@pytest.mark.parametrize(("low", "passed"), [(0.97, True), (0.9699, False)])
def test_the_lower_bound_counts(low, passed):
    """A good estimate on few examples does not pass; the message says that more of them would help."""
    result = gate(quality(HIGH, Interval(0.99, low, 1.0)), BUDGET)
    assert result.passed is passed
    assert ("more holdout examples" in result.reason) is not passed


def test_an_interval_that_is_not_a_number_does_not_pass():
    """NaN is not good enough."""
    nothing = float("nan")
    assert not gate(quality(Interval(nothing, nothing, nothing)), BUDGET).passed


@pytest.mark.parametrize(
    ("student", "teacher", "refused"), [(1.0, 0.9, True), (0.98, 0.9, False), (1.0, 0.99, False)]
)
def test_a_student_that_always_says_the_same_is_refused(student, teacher, refused):
    """However good its figures are, unless the teacher hardly says anything else either."""
    for agreement in (HIGH, Interval(0.85, 0.8, 0.89)):
        found = replace(quality(agreement), commonest=student, teacher_commonest=teacher)
        result, usual = gate(found, BUDGET), gate(quality(agreement), BUDGET)
        assert result.passed == (usual.passed and not refused)
        assert result.reason.startswith(usual.reason)
        assert ("one and the same answer" in result.reason) == refused
