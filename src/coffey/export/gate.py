"""The gate: is a student good enough to be registered?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from coffey.core.records import Interval, Quality
from coffey.core.settings import BudgetSettings

CONSTANT = 0.99
"""Share of one and the same answer from which a student seems not to read its input."""
VARIED = 0.95
"""Share of its most frequent answer up to which a teacher gives others too."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a student passed, and the sentence that says why."""

    passed: bool
    reason: str


def gate(quality: Quality, budget: BudgetSettings) -> GateResult:
    """Hold the lower bound of retention (labelled holdout), else of agreement, against the budget.

    The bound counts, not the estimate: too few examples do not pass by luck. A student that gives nearly
    every example one answer, where its teacher does not, is refused whatever the bound: a frequent label, or
    a low budget, would let pass what reads no input.

    >>> sure = Interval(0.98, 0.975, 0.985)
    >>> gate(Quality(examples=4000, agreement=sure), BudgetSettings(min_agreement=0.97)).passed
    True
    """
    if quality.retention is not None:
        held = _held("retention", quality.retention, budget.min_retention, quality.labelled)
    else:
        held = _held("agreement", quality.agreement, budget.min_agreement, quality.examples)
    constant = _constant(quality)
    return replace(held, passed=held.passed and not constant, reason=held.reason + constant)


def _constant(quality: Quality) -> str:
    """That the student gives nearly every example the same answer and the teacher does not; else empty."""
    own, teacher = quality.commonest, quality.teacher_commonest
    if own is None or teacher is None or own < CONSTANT or teacher > VARIED:
        return ""
    return (
        f". But the student gives {own:.1%} of the examples one and the same answer, the teacher gives its "
        f"most frequent answer to {teacher:.1%}: train longer, or on more"
    )


def _held(what: str, found: Interval, floor: float, examples: int) -> GateResult:
    key = f"budget.min_{what}"
    shown = (
        f"{what} {found.value:.4f} ({found.confidence:.0%} interval {found.low:.4f} to {found.high:.4f}, "
        f"{examples} examples)"
    )
    if found.low >= floor:
        return GateResult(True, f"{shown}: the lower bound is at least {key} = {floor:g}")
    more = "more holdout examples would narrow it, " if found.value >= floor else ""
    return GateResult(
        False,
        f"{shown}: the lower bound is below {key} = {floor:g}; {more}a larger student or more transfer data "
        "would raise it",
    )
