"""The verdict and the reasons say what decided, with its numbers."""

# ruff: noqa: E501 - sentences are compared whole

from __future__ import annotations

from collections.abc import Callable

from coffey.core.settings import BudgetSettings
from coffey.economics.candidate import Candidate
from coffey.economics.frontier import judge
from coffey.economics.frontier_words import reason, verdict

Make = Callable[..., Candidate]
BUDGET = BudgetSettings(latency_p99_ms=50.0, min_retention=0.97, min_agreement=0.9, max_usd=5000.0)
GOOD, UNSURE, BAD = (0.985, 0.98, 0.99), (0.97, 0.96, 0.98), (0.94, 0.93, 0.95)


def reasons(*candidates: Candidate) -> list[str]:
    frontier = judge(candidates, BUDGET)
    return [reason(one, frontier) for one in frontier.judged]


def test_a_recommendation_names_chain_numbers_and_money(candidate: Make) -> None:
    """One sentence to act on."""
    found = verdict(
        judge(
            [candidate("7M", quality=GOOD), candidate("2M", quality=GOOD, net=6000.0, stages=("7M", "2M"))],
            BUDGET,
        )
    )
    assert found == (
        "2M is recommended, the cheapest of 2 that keep the budget, by the chain 7M → 2M: p99 10 ms (9 to 11) is "
        "within 50 ms, retention 0.985 (0.980 to 0.990) is above 0.970, the run 1,000 USD (900 to 1,100) is within "
        "5,000 USD; 6,000 USD are left after 100 days."
    )


def test_a_cheaper_one_that_may_keep_the_budget_is_named_beside_it(candidate: Make) -> None:
    """Straddling is said, with what it would bring."""
    certain = candidate("2M", quality=GOOD)
    unsure = candidate("700K", quality=UNSURE, net=5500.0, usd_per_1k=0.0005)
    found = judge([certain, unsure], BUDGET)
    assert verdict(found).endswith(
        " 700K would leave 500 USD more, but may miss it: retention 0.970 (0.960 to 0.980) lies on both sides of "
        "0.970."
    )
    assert reasons(certain, unsure)[1] == (
        "May miss the budget: retention 0.970 (0.960 to 0.980) lies on both sides of 0.970."
    )
    dearer = judge([certain, candidate("7M", quality=UNSURE, net=1.0)], BUDGET)
    assert "7M" not in verdict(dearer), "a doubtful one that brings less is no news"


def test_only_a_may_is_called_the_likeliest(candidate: Make) -> None:
    """No recommendation is dressed up as certain."""
    (found,) = reasons(candidate(quality=UNSURE))
    assert found.startswith("The likeliest to keep the budget: ")
    assert verdict(judge([candidate(quality=UNSURE)], BUDGET)).startswith(
        "None keeps the budget for certain."
    )


def test_none_meets_the_budget(candidate: Make) -> None:
    """The nearest miss, and by how much."""
    found = verdict(
        judge([candidate("2M", quality=BAD), candidate("700K", quality=(0.90, 0.89, 0.91))], BUDGET)
    )
    assert found == (
        "None meets the budget. The nearest miss is 2M: retention 0.940 (0.930 to 0.950) is below 0.970 by 0.030."
    )


def test_every_missed_line_is_told(candidate: Make) -> None:
    """A candidate that is too slow and too dear says both."""
    (found,) = reasons(candidate(quality=GOOD, p99=(100.0, 90.0, 110.0), run=(9000.0, 8000.0, 9900.0)))
    assert found == (
        "Misses the budget: p99 100 ms (90 to 110) is over 50 ms by 50 ms, the run 9,000 USD (8,000 to 9,900) is "
        "over 5,000 USD by 4,000 USD."
    )


def test_an_unknown_quality_is_told_with_what_to_do(candidate: Make) -> None:
    """And nothing is recommended."""
    several = verdict(judge([candidate("2M"), candidate("700K", net=7000.0)], BUDGET))
    assert several == (
        "None is recommended yet: nothing is known of the quality. 2 of 2 candidates may keep the budget in latency "
        "and cost; the cheapest is 700K (7,000 USD are left after 100 days). Run coffey plan --pilot to measure it."
    )
    assert "The one candidate may keep the budget in latency and cost; it is 2M" in verdict(
        judge([candidate("2M")], BUDGET)
    )
    assert reasons(candidate("2M"), candidate("7M", p99=(50.0, 45.0, 55.0))) == [
        "May keep the budget: nothing is known of its quality; latency and cost keep it.",
        "May keep the budget: nothing is known of its quality, and p99 50 ms (45 to 55) lies on both sides of 50 ms.",
    ]


def test_a_loser_within_budget_says_what_it_leaves_less_and_who_beats_it(candidate: Make) -> None:
    """The reason is the difference in money; a better one in everything is named too."""
    best = candidate("2M", quality=GOOD, p99=(5.0, 4.0, 6.0))
    assert reasons(best, candidate("7M", quality=GOOD, net=4000.0))[1] == (
        "Keeps the budget, but leaves 1,000 USD less over 100 days than 2M; 2M is as good in latency, quality and "
        "price, and better in one."
    )
    assert "leaves no more over 100 days than 2M" in reasons(best, candidate("7M", quality=GOOD))[1]
    less = candidate("7M", quality=GOOD, net=4999.999)
    assert "leaves no more over 100 days than 2M" in reasons(best, less)[1], "0.00 USD less is not less"


def test_what_keeps_the_budget_and_does_not_pay_says_so(candidate: Make) -> None:
    """A loss is called one."""
    found = verdict(judge([candidate(quality=GOOD, net=-500.0)], BUDGET))
    assert "500 USD are lost over 100 days. It does not pay for itself in that time." in found


def test_nothing_to_choose_from() -> None:
    """An empty list has a sentence too."""
    assert verdict(judge([], BUDGET)) == "There is no candidate to choose from."
