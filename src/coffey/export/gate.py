"""The gate: is a student good enough to be registered?"""

from __future__ import annotations

from dataclasses import dataclass

from coffey.core.records import Interval, Quality
from coffey.core.settings import BudgetSettings


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a student passed, and the sentence that says why."""

    passed: bool
    reason: str


def gate(quality: Quality, budget: BudgetSettings) -> GateResult:
    """Hold the lower bound of retention (labelled holdout), else of agreement, against the budget.

    The bound counts, not the estimate: too few examples do not pass by luck.

    >>> sure = Interval(0.98, 0.975, 0.985)
    >>> gate(Quality(examples=4000, agreement=sure), BudgetSettings(min_agreement=0.97)).passed
    True
    """
    if quality.retention is not None:
        return _held("retention", quality.retention, budget.min_retention, quality.labelled)
    return _held("agreement", quality.agreement, budget.min_agreement, quality.examples)


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
