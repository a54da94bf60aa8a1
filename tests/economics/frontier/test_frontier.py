"""The recommendation is the cheapest that keeps the budget; what is uncertain or unknown is not hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.core.settings import BudgetSettings
from coffey.economics.budget_check import Standing
from coffey.economics.candidate import Candidate
from coffey.economics.frontier import cheapest, judge

Make = Callable[..., Candidate]
BUDGET = BudgetSettings(latency_p99_ms=50.0, min_retention=0.97, min_agreement=0.9, max_usd=5000.0)
GOOD, UNSURE, BAD = (0.985, 0.98, 0.99), (0.97, 0.96, 0.98), (0.94, 0.93, 0.95)


def test_the_cheapest_that_keeps_the_budget_is_recommended(candidate: Make) -> None:
    """Not the cheapest of all, which may miss it, nor the best, which leaves less."""
    large = candidate("7M", quality=(0.99, 0.985, 0.995), net=100.0)
    middle = candidate("2M", quality=GOOD, net=200.0)
    small = candidate("700K", quality=UNSURE, net=300.0)
    tiny = candidate("200K", quality=BAD, net=400.0)
    found = judge([large, middle, small, tiny], BUDGET)
    assert found.answer is Standing.KEEPS
    assert found.chosen is not None
    assert found.chosen.candidate is middle
    assert found.nearest is None
    assert [one.standing for one in found.judged] == [
        Standing.KEEPS,
        Standing.KEEPS,
        Standing.MAY,
        Standing.MISSES,
    ]


def test_the_same_money_buys_the_better_quality(candidate: Make) -> None:
    """A run that is cheaper by a dollar is no reason to take the worse of two that leave as much."""
    better = candidate("2M", quality=(0.99, 0.985, 0.995), run=(1001.0, 901.0, 1101.0), net=200.001)
    cheaper = candidate("700K", quality=GOOD, net=200.002)
    found = judge([better, cheaper], BUDGET)
    assert found.chosen is not None
    assert found.chosen.candidate is better


def test_if_none_is_certain_the_likeliest_is_taken(candidate: Make) -> None:
    """More room is worth more than a better price, as long as both are a may."""
    near = candidate("2M", quality=(0.975, 0.965, 0.985), net=1.0)
    far = candidate("700K", quality=(0.965, 0.955, 0.975), net=1000.0)
    found = judge([near, far], BUDGET)
    assert found.answer is Standing.MAY
    assert found.chosen is not None
    assert found.chosen.candidate is near


def test_none_meets_the_budget_is_an_answer_with_the_nearest_miss(candidate: Make) -> None:
    """3 ms over 50 is nearer than 3 % of quality under a floor that allows 3 % of loss."""
    slow = candidate("7M", quality=GOOD, p99=(53.0, 51.0, 55.0))
    poor = candidate("2M", quality=BAD)
    found = judge([poor, slow], BUDGET)
    assert found.answer is Standing.MISSES
    assert found.chosen is None
    assert found.nearest is not None
    assert found.nearest.candidate is slow


def test_of_unknown_quality_none_is_recommended(candidate: Make) -> None:
    """The smallest is always the cheapest; without its quality that is no reason to take it."""
    found = judge([candidate("2M", net=1.0), candidate("700K", net=2.0)], BUDGET)
    assert found.answer is Standing.UNKNOWN
    assert found.chosen is found.nearest is None
    best = cheapest(found.judged)
    assert best is not None
    assert best.candidate.name == "700K"


def test_an_unknown_quality_does_not_keep_a_known_one_from_being_taken(candidate: Make) -> None:
    """One candidate was piloted, the other was not."""
    found = judge([candidate("2M", quality=GOOD, net=1.0), candidate("700K", net=2.0)], BUDGET)
    assert found.answer is Standing.KEEPS
    assert found.chosen is not None
    assert found.chosen.candidate.name == "2M"
    assert all(one.efficient for one in found.judged), "nothing can be said of the second"


def test_a_candidate_that_is_beaten_says_by_whom(candidate: Make) -> None:
    """As good in latency, quality and price, and better in one of them."""
    good = candidate("2M", quality=GOOD, p99=(5.0, 4.0, 6.0))
    worse = candidate("layers=2,width=256", quality=GOOD)
    found = judge([worse, good], BUDGET)
    assert [one.beaten_by for one in found.judged] == ["2M", None]


def test_nothing_to_choose_from(candidate: Make) -> None:
    """No candidate, no recommendation; one candidate is judged like several."""
    empty = judge([], BUDGET)
    assert (empty.answer, empty.chosen, empty.nearest) == (Standing.MISSES, None, None)
    alone = judge([candidate(quality=GOOD)], BUDGET)
    assert alone.chosen is alone.judged[0]
    assert alone.judged[0].efficient


def test_equal_value_goes_to_the_cheaper_run_then_the_shorter_chain(candidate: Make) -> None:
    """What is not needed is not bought."""
    dear = candidate("a", quality=GOOD, run=(2000.0, 2000.0, 2000.0))
    long = candidate("b", quality=GOOD, stages=("x", "y", "b"))
    short = candidate("c", quality=GOOD)
    found = judge([dear, long, short], BUDGET)
    assert found.chosen is not None
    assert found.chosen.candidate is short


RANDOM = st.lists(
    st.tuples(
        st.floats(1.0, 200.0),
        st.none() | st.floats(0.9, 1.0),
        st.floats(100.0, 20_000.0),
        st.integers(-5, 5),
    ),
    max_size=6,
)


def made(candidate: Make, rows: list[tuple[float, float | None, float, int]]) -> list[Candidate]:
    return [
        candidate(
            f"{place}M",
            p99=(p99, p99 / 1.2, p99 * 1.2),
            quality=None if quality is None else (quality, quality - 0.01, min(1.0, quality + 0.01)),
            run=(run, run / 1.5, run * 1.5),
            net=100.0 * net,
        )
        for place, (p99, quality, run, net) in enumerate(rows)
    ]


@settings(max_examples=60)
@given(RANDOM)
def test_who_is_chosen_is_the_best_by_brute_force(
    candidate: Make, rows: list[tuple[float, float | None, float, int]]
) -> None:
    """Of those that surely keep every line no other leaves more; where there is none, a may and no miss."""
    candidates = made(candidate, rows)
    found = judge(candidates, BUDGET)
    certain = [
        one
        for one in candidates
        if one.p99_range_ms[1] <= 50.0
        and one.run_range_usd[1] <= 5000.0
        and one.quality is not None
        and one.quality.low >= 0.97
    ]
    if certain:
        assert found.chosen is not None
        assert found.chosen.candidate in certain
        assert found.chosen.candidate.net_usd == max(one.net_usd for one in certain)
    elif found.chosen is not None:
        assert found.chosen.standing is Standing.MAY
    assert (found.nearest is not None) == (bool(candidates) and found.answer is Standing.MISSES)


@settings(max_examples=60)
@given(RANDOM, st.randoms())
def test_the_order_of_the_candidates_decides_nothing(
    candidate: Make, rows: list[tuple[float, float | None, float, int]], random: object
) -> None:
    """The same candidates in another order: the same answer and the same recommendation."""
    candidates = made(candidate, rows)
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = judge(candidates, BUDGET), judge(shuffled, BUDGET)
    assert one.answer is other.answer
    assert (one.chosen and one.chosen.candidate) is (other.chosen and other.chosen.candidate)
    assert (one.nearest and one.nearest.candidate) is (other.nearest and other.nearest.candidate)


@settings(max_examples=60)
@given(RANDOM)
def test_a_looser_budget_never_worsens_the_answer(
    candidate: Make, rows: list[tuple[float, float | None, float, int]]
) -> None:
    """More time, more money or a lower floor: whoever kept it keeps it."""
    candidates = made(candidate, rows)
    order = list(Standing)
    before = order.index(judge(candidates, BUDGET).answer)
    looser = [
        replace(BUDGET, latency_p99_ms=80.0),
        replace(BUDGET, max_usd=9000.0),
        replace(BUDGET, min_retention=0.95),
    ]
    for budget in looser:
        assert order.index(judge(candidates, budget).answer) <= before
