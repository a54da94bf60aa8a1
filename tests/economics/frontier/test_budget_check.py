"""Each line of the budget is kept, missed or uncertain by the ends of the forecast's range."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.settings import BudgetSettings
from coffey.economics.budget_check import Check, Standing, checks, worst
from coffey.economics.candidate import Candidate

Make = Callable[..., Candidate]
BUDGET = BudgetSettings(latency_p99_ms=50.0, min_retention=0.97, min_agreement=0.9, max_usd=5000.0)


def check(candidate: Candidate, subject: str) -> Check:
    (found,) = (one for one in checks(candidate, BUDGET) if one.subject == subject)
    return found


@pytest.mark.parametrize(
    ("p99", "standing"),
    [
        ((10.0, 9.0, 11.0), Standing.KEEPS),
        ((45.0, 40.0, 50.0), Standing.KEEPS),
        ((49.0, 44.0, 54.0), Standing.MAY),
        ((55.0, 50.0, 60.0), Standing.MAY),
        ((61.0, 55.0, 67.0), Standing.MISSES),
    ],
)
def test_latency_is_judged_by_the_ends_of_its_range(
    candidate: Make, p99: tuple[float, float, float], standing: Standing
) -> None:
    """A range on both sides of the limit is a may, whichever side the value is on."""
    found = check(candidate(p99=p99), "p99")
    assert found.standing is standing
    assert found.over == pytest.approx(p99[0] / 50.0 - 1)


@pytest.mark.parametrize(
    ("measure", "quality", "standing"),
    [
        ("retention", (0.98, 0.97, 0.99), Standing.KEEPS),
        ("retention", (0.98, 0.96, 0.99), Standing.MAY),
        ("retention", (0.96, 0.95, 0.97), Standing.MAY),
        ("retention", (0.95, 0.94, 0.96), Standing.MISSES),
        ("agreement", (0.95, 0.94, 0.96), Standing.KEEPS),
        ("agreement", (0.85, 0.84, 0.86), Standing.MISSES),
    ],
)
def test_quality_is_judged_by_the_floor_of_its_own_measure(
    candidate: Make, measure: str, quality: tuple[float, float, float], standing: Standing
) -> None:
    """Retention has one floor, agreement another; the lower end has to be above it, as the gate asks."""
    assert check(candidate(quality=quality, measure=measure), measure).standing is standing


def test_a_shortfall_of_quality_counts_in_the_loss_that_is_allowed(candidate: Make) -> None:
    """3 % lost are allowed; losing 6 % is once as much again beyond it."""
    assert check(candidate(quality=(0.94, 0.93, 0.95)), "retention").over == pytest.approx(1.0)
    assert check(candidate(quality=(0.97, 0.96, 0.98)), "retention").over == pytest.approx(0.0)
    strict = checks(candidate(quality=(0.98, 0.97, 0.99)), BudgetSettings(min_retention=1.0))[1]
    assert strict.over == pytest.approx(2.0), "a floor of 1 allows nothing, so one percent is the unit"


def test_an_unknown_quality_is_neither_kept_nor_missed(candidate: Make) -> None:
    """It is said, and it counts for nothing."""
    found = check(candidate(), "quality")
    assert found.standing is Standing.UNKNOWN
    assert found.value is found.range is found.over is None
    assert found.words == "nothing is known of its quality"


def test_the_words_hold_value_range_limit_and_gap(candidate: Make) -> None:
    """A reader sees by how much."""
    assert (
        check(candidate(p99=(61.0, 55.0, 67.0)), "p99").words == "p99 61 ms (55 to 67) is over 50 ms by 11 ms"
    )
    assert (
        check(candidate(quality=(0.95, 0.94, 0.96)), "retention").words
        == "retention 0.950 (0.940 to 0.960) is below 0.970 by 0.020"
    )
    assert (
        check(candidate(run=(4900.0, 4000.0, 6000.0)), "the run").words
        == "the run 4,900 USD (4,000 to 6,000) lies on both sides of 5,000 USD"
    )
    assert (
        check(candidate(run=(20.0, 20.0, 20.0)), "the run").words == "the run 20.00 USD is within 5,000 USD"
    )


@given(st.floats(1e-3, 1e6), st.floats(1.0, 10.0), st.floats(1e-3, 1e6), st.floats(1.0, 100.0))
def test_a_larger_limit_never_worsens_a_check(
    candidate: Make, p99: float, factor: float, limit: float, more: float
) -> None:
    """Whatever the forecast, who keeps a budget keeps a larger one."""
    one = candidate(p99=(p99, p99 / factor, p99 * factor))
    order = list(Standing)
    tight, loose = (checks(one, BudgetSettings(latency_p99_ms=ms))[0] for ms in (limit, limit * more))
    assert order.index(loose.standing) <= order.index(tight.standing)


def test_the_worst_of_several_counts() -> None:
    """One miss is a miss, and what is not known is worse than a may."""
    assert worst([Standing.KEEPS, Standing.MAY]) is Standing.MAY
    assert worst([Standing.UNKNOWN, Standing.MAY]) is Standing.UNKNOWN
    assert worst([Standing.MISSES, Standing.UNKNOWN]) is Standing.MISSES
