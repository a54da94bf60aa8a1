"""Which candidate to make: all of them against the budget and against each other, and one recommendation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coffey.core.settings import BudgetSettings
from coffey.economics.budget_check import Check, Standing, checks, worst
from coffey.economics.candidate import Candidate, TeacherPoint
from coffey.economics.pareto import Position, beaten_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A candidate with what was found about it."""

    candidate: Candidate
    checks: tuple[Check, ...]
    beaten_by: str | None
    """The first that is as good in latency, quality and price, and better in one; None when none is."""

    @property
    def standing(self) -> Standing:
        """The worst of its checks."""
        return worst([check.standing for check in self.checks])

    @property
    def efficient(self) -> bool:
        """Whether it is in the Pareto set."""
        return self.beaten_by is None

    @property
    def over(self) -> float:
        """How far it is beyond the budget where that is worst, as a share of what is allowed.

        Negative is room. What is not known is not counted.
        """
        return max((check.over for check in self.checks if check.over is not None), default=math.inf)

    def at(self, *standings: Standing) -> list[Check]:
        """Its checks that came out like this."""
        return [check for check in self.checks if check.standing in standings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The candidates, judged, and the answer. `economics.frontier_words` says it in sentences."""

    judged: tuple[Judged, ...]
    budget: BudgetSettings
    answer: Standing
    """The best standing of any candidate; `MISSES` when there is none."""
    chosen: Judged | None
    """The recommendation: see `choose`."""
    nearest: Judged | None
    """Where none meets the budget, the one that misses it by the smallest share of what is allowed."""
    teacher: TeacherPoint | None = None


def judge(
    candidates: Sequence[Candidate], budget: BudgetSettings, *, teacher: TeacherPoint | None = None
) -> Frontier:
    """Every candidate held against the budget and the others.

    Args:
        candidates: any number, their names distinct; their order is kept.
        budget: what must hold.
        teacher: shown beside them.
    """
    rivals = beaten_by([_position(candidate) for candidate in candidates])
    judged = tuple(
        Judged(
            candidate=candidate,
            checks=checks(candidate, budget),
            beaten_by=None if rival is None else candidates[rival].name,
        )
        for candidate, rival in zip(candidates, rivals, strict=True)
    )
    answer = _answer(judged)
    missed = answer is Standing.MISSES
    return Frontier(
        judged=judged,
        budget=budget,
        answer=answer,
        chosen=choose(judged),
        nearest=min(judged, key=_nearness, default=None) if missed else None,
        teacher=teacher,
    )


def choose(judged: Sequence[Judged]) -> Judged | None:
    """The recommendation.

    Of those that keep the budget at the bad end of every range, the one that leaves most over the horizon;
    where that is the same to the cent, the better in quality, then the cheaper run, then the shorter chain.
    If none keeps it for certain, the likeliest: the one whose forecast has most room, or is least beyond the
    budget. None where none may keep it, and where no candidate's quality is known: the smallest student is
    always the cheapest, so price alone would choose it whatever it has lost.
    """
    certain = [one for one in judged if one.standing is Standing.KEEPS]
    if certain:
        return min(certain, key=_preference)
    return min((one for one in judged if one.standing is Standing.MAY), key=_nearness, default=None)


def cheapest(judged: Sequence[Judged]) -> Judged | None:
    """The one that leaves most over the horizon, whatever its standing."""
    return min(judged, key=_preference, default=None)


def _answer(judged: Sequence[Judged]) -> Standing:
    found = {one.standing for one in judged}
    ranked = (Standing.KEEPS, Standing.MAY, Standing.UNKNOWN)
    return next((standing for standing in ranked if standing in found), Standing.MISSES)


def _position(candidate: Candidate) -> Position:
    return Position(
        latency_ms=candidate.p99_ms.value,
        quality=candidate.quality.value if candidate.quality else None,
        usd_per_1k=candidate.usd_per_1k,
    )


def _preference(one: Judged) -> tuple[float, float, float, int, str]:
    candidate = one.candidate
    quality = candidate.quality.value if candidate.quality else -math.inf
    return (
        -round(candidate.net_usd, 2),
        -quality,
        candidate.run_usd,
        len(candidate.stages),
        candidate.name,
    )


def _nearness(one: Judged) -> tuple[float, float, float, float, int, str]:
    return one.over, *_preference(one)
