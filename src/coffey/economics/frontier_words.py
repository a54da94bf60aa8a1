"""A frontier in sentences: the verdict, and for every candidate why it is or is not the one."""

from __future__ import annotations

from coffey.economics.budget_check import Check, Standing, amount
from coffey.economics.candidate import Candidate
from coffey.economics.frontier import Frontier, Judged, cheapest

_CENT = 0.01
"""In USD; less is not told apart."""


def verdict(frontier: Frontier) -> str:
    """The answer in one or two sentences with the numbers that decided it."""
    chosen = frontier.chosen
    if not frontier.judged:
        return "There is no candidate to choose from."
    if frontier.answer is Standing.UNKNOWN:
        return _unknown(frontier)
    if chosen is None:
        return _none_meets(frontier)
    doubt = "" if chosen.candidate.plan.pays else " It does not pay for itself in that time."
    if frontier.answer is Standing.KEEPS:
        return f"{_recommended(frontier, chosen)}{doubt}{_cheaper_but_unsure(frontier, chosen)}"
    words = _clauses(chosen.at(Standing.MAY))
    return (
        f"None keeps the budget for certain. The likeliest is {chosen.candidate.name}: {words}; "
        f"{_left(chosen.candidate)}.{doubt}"
    )


def reason(one: Judged, frontier: Frontier) -> str:
    """One sentence on one candidate: what it misses, what is not known, or what another does better."""
    if one.standing is Standing.MISSES:
        return f"Misses the budget: {_clauses(one.at(Standing.MISSES))}{_beaten(one)}."
    if one.standing is Standing.UNKNOWN:
        unsure = one.at(Standing.MAY)
        rest = f", and {_clauses(unsure)}" if unsure else "; latency and cost keep it"
        return f"May keep the budget: {_clauses(one.at(Standing.UNKNOWN))}{rest}."
    if one is frontier.chosen:
        how = "Recommended" if one.standing is Standing.KEEPS else "The likeliest to keep the budget"
        return f"{how}: {_clauses(list(one.checks))}."
    if one.standing is Standing.MAY:
        return f"May miss the budget: {_clauses(one.at(Standing.MAY))}{_beaten(one)}."
    return f"Keeps the budget, but {_second(one, frontier)}{_beaten(one)}."


def _recommended(frontier: Frontier, chosen: Judged) -> str:
    count = sum(one.standing is Standing.KEEPS for one in frontier.judged)
    among = (
        "the only one that keeps the budget"
        if count == 1
        else f"the cheapest of {count} that keep the budget"
    )
    return (
        f"{chosen.candidate.name} is recommended, {among}, {_chain(chosen.candidate)}: "
        f"{_clauses(list(chosen.checks))}; {_left(chosen.candidate)}."
    )


def _cheaper_but_unsure(frontier: Frontier, chosen: Judged) -> str:
    best = cheapest([one for one in frontier.judged if one.standing in (Standing.MAY, Standing.UNKNOWN)])
    if best is None or best.candidate.net_usd < chosen.candidate.net_usd + _CENT:
        return ""
    more = amount(best.candidate.net_usd - chosen.candidate.net_usd, "USD")
    doubts = _clauses(best.at(Standing.MAY, Standing.UNKNOWN))
    return f" {best.candidate.name} would leave {more} more, but may miss it: {doubts}."


def _unknown(frontier: Frontier) -> str:
    open_ones = [one for one in frontier.judged if one.standing is Standing.UNKNOWN]
    best = cheapest(open_ones)
    assert best is not None
    count, all_of_them = len(open_ones), len(frontier.judged)
    which = "The one candidate" if all_of_them == 1 else f"{count} of {all_of_them} candidates"
    named = f"the cheapest is {best.candidate.name}" if count > 1 else f"it is {best.candidate.name}"
    return (
        f"None is recommended yet: nothing is known of the quality. {which} may keep the budget in latency "
        f"and cost; {named} ({_left(best.candidate)}). Run coffey plan --pilot to measure it."
    )


def _none_meets(frontier: Frontier) -> str:
    nearest = frontier.nearest
    assert nearest is not None
    return (
        f"None meets the budget. The nearest miss is {nearest.candidate.name}: "
        f"{_clauses(nearest.at(Standing.MISSES))}."
    )


def _second(one: Judged, frontier: Frontier) -> str:
    chosen = frontier.chosen
    assert chosen is not None
    less = chosen.candidate.net_usd - one.candidate.net_usd
    days = f"{one.candidate.plan.horizon_days:g} days"
    if less >= _CENT:
        return f"leaves {amount(less, 'USD')} less over {days} than {chosen.candidate.name}"
    return f"leaves no more over {days} than {chosen.candidate.name}"


def _beaten(one: Judged) -> str:
    if one.beaten_by is None:
        return ""
    return f"; {one.beaten_by} is as good in latency, quality and price, and better in one"


def _chain(candidate: Candidate) -> str:
    if len(candidate.stages) == 1:
        return "in one stage"
    return f"by the chain {' → '.join(candidate.stages)}"


def _left(candidate: Candidate) -> str:
    days = f"{candidate.plan.horizon_days:g} days"
    if candidate.net_usd < 0:
        return f"{amount(-candidate.net_usd, 'USD')} are lost over {days}"
    return f"{amount(candidate.net_usd, 'USD')} are left after {days}"


def _clauses(checks: list[Check]) -> str:
    return ", ".join(check.words for check in checks)
