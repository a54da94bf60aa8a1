"""A power law is found again in its points, and what lies beyond them is where the interval says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.stats.intervals import wilson
from coffey.stats.power_law import FLAT, STEEPEST, ExponentPrior, Law, extrapolate, fit_law

NOISE = 0.03


@settings(deadline=None)
@given(
    scale=st.floats(0.5, 20),
    exponent=st.floats(0.05, STEEPEST),
    floor=st.floats(0, 0.3),
    first=st.integers(50, 2000),
    count=st.integers(3, 5),
)
def test_a_law_is_found_again_in_exact_points(
    scale: float, exponent: float, floor: float, first: int, count: int
) -> None:
    """From three points on, the law says what the true one says, also at twenty times the rows."""
    true = Law(scale, exponent, floor)
    rows = [first * 2**number for number in range(count)]
    found = fit_law(rows, [true.error(n) for n in rows], [1e-6] * count)
    assert found.exponent == pytest.approx(exponent, abs=1e-3)
    assert found.error(20 * rows[-1]) == pytest.approx(true.error(20 * rows[-1]), rel=0.01)


def test_points_near_chance_do_not_bend_the_law() -> None:
    """A law whose small sizes answer by chance is found again with the error of chance, and not without."""
    true = Law(80.0, 0.8, 0.02, chance=0.99)
    rows = [200, 400, 800, 1600]
    errors, variances = [true.error(n) for n in rows], [1e-6] * 4
    assert true.error(1) == pytest.approx(0.99, abs=0.001)
    found = fit_law(rows, errors, variances, chance=0.99)
    assert (found.exponent, found.floor) == pytest.approx((0.8, 0.02), abs=0.01)
    known, ignored = (
        extrapolate(rows, errors, variances, noise=NOISE, chance=chance).error(6400)
        for chance in (0.99, None)
    )
    assert known.low < true.error(6400) < known.high
    assert abs(known.value - true.error(6400)) < 0.5 * abs(ignored.value - true.error(6400))


@settings(deadline=None)
@given(
    errors=st.lists(st.floats(0, 1), min_size=3, max_size=5),
    variance=st.floats(1e-6, 1e-2),
    chance=st.none() | st.floats(0.3, 1),
)
def test_no_points_lead_out_of_bounds(errors: list[float], variance: float, chance: float | None) -> None:
    """Rising, equal or wild errors give a law within bounds, that never rises, and an ordered interval."""
    rows = [100 * 2**number for number in range(len(errors))]
    law = fit_law(rows, errors, [variance] * len(rows), chance=chance)
    assert law.scale >= 0
    assert law.floor >= 0
    assert 0 < law.exponent <= STEEPEST
    beyond = extrapolate(rows, errors, [variance] * len(rows), noise=NOISE, chance=chance)
    near, far = (beyond.error(times * rows[-1]) for times in (2, 4))
    for interval in (near, far):
        assert 0 <= interval.low <= interval.value <= interval.high
    assert far.value <= near.value


def experiment(
    draw: np.random.Generator, *, points: int, examples: int, prior_sd: float | None = None
) -> tuple[bool, float]:
    """Whether the 80 % interval at four times the rows covers, and its width; the law is drawn anew.

    Laws are drawn from all that a pilot meets: exponents 0.05 to 0.95, any floor, at least 1 error in 10
    right at the smallest size. Errors are counted on `examples` rows that are the same for all points.
    """
    largest = 4000.0
    rows = [largest / 2**halving for halving in range(points - 1, -1, -1)]
    while True:
        exponent, level, share = draw.uniform(0.05, 0.95), draw.uniform(0.03, 0.4), draw.uniform(0, 1)
        law = Law(level * (1 - share) * largest**exponent, exponent, level * share)
        if law.error(rows[0]) <= 0.9:
            break
    difficulty = draw.random(examples)
    chance = [law.error(n) * (1 + NOISE * draw.standard_normal()) for n in rows]
    wrong = np.array([difficulty < one for one in chance], dtype=float)
    covariance = np.cov(wrong, bias=True) / examples + np.eye(points) / examples**2
    prior = FLAT if prior_sd is None else ExponentPrior(mean=exponent + prior_sd * draw.normal(), sd=prior_sd)
    interval = extrapolate(rows, wrong.mean(1).tolist(), covariance, noise=NOISE, prior=prior).error(
        4 * largest
    )
    true = law.error(4 * largest) * (1 + NOISE * draw.standard_normal())
    return interval.low <= true <= interval.high, interval.high - interval.low


@pytest.mark.parametrize(("points", "examples"), [(3, 1000), (4, 1000), (5, 300)])
def test_intervals_cover(points: int, examples: int) -> None:
    """80 % intervals hold the error of a training on four times the rows in 80 to 90 % of 400 pilots."""
    draw = np.random.default_rng(points)
    covered = [experiment(draw, points=points, examples=examples)[0] for _ in range(400)]
    seen = wilson(sum(covered), len(covered))
    assert seen.high >= 0.8
    assert seen.low <= 0.9


def test_a_known_exponent_narrows_and_still_covers() -> None:
    """A prior that is right about itself makes intervals narrower, and they cover as promised."""
    seeds = range(300)
    sharp = [experiment(np.random.default_rng(s), points=4, examples=1000, prior_sd=0.05) for s in seeds]
    blunt = [experiment(np.random.default_rng(s), points=4, examples=1000) for s in seeds]
    assert np.mean([width for _, width in sharp]) < 0.9 * np.mean([width for _, width in blunt])
    assert wilson(sum(hit for hit, _ in sharp), len(sharp)).high >= 0.8


def test_more_of_everything_is_known_better() -> None:
    """More examples narrow the interval; more distance, noise, or the holdout's sampling error widen it."""
    law = Law(3.0, 0.5, 0.02)
    rows = [500, 1000, 2000, 4000]
    errors = [law.error(n) for n in rows]

    def width(variance: float, times: float, noise: float = NOISE, sampling: float = 0.0) -> float:
        found = extrapolate(rows, errors, [variance] * 4, noise=noise)
        interval = found.error(times * rows[-1], sampling=sampling)
        return interval.high - interval.low

    assert width(1e-5, 4) < width(1e-4, 4) < width(1e-3, 4)
    assert width(1e-4, 4) < width(1e-4, 4, noise=0.1)
    assert width(1e-4, 4) < width(1e-4, 4, sampling=0.01)
    assert width(1e-4, 1) < width(1e-4, 8)


def test_points_that_are_no_power_law_widen_the_interval() -> None:
    """A curve that falls, rests and falls again is trusted less than one that falls evenly."""
    rows = [500, 1000, 2000, 4000, 8000]
    even = extrapolate(rows, [0.32, 0.16, 0.08, 0.04, 0.02], [1e-6] * 5, noise=0.01)
    odd = extrapolate(rows, [0.32, 0.12, 0.12, 0.12, 0.02], [1e-6] * 5, noise=0.01)
    widths = [one.high - one.low for one in (even.error(16_000), odd.error(16_000))]
    assert widths[1] > 5 * widths[0]


def test_what_is_no_measurement_is_refused() -> None:
    """Two sizes fit no law of three unknowns; other shapes and errors below 0 are a caller's mistake."""
    with pytest.raises(ValueError, match="at least 3"):
        fit_law([100, 100, 200], [0.3, 0.3, 0.2], [1e-4] * 3)
    with pytest.raises(ValueError, match="expected n rows"):
        extrapolate([100, 200], [0.3], [1e-4], noise=NOISE)
    with pytest.raises(ValueError, match="not below 0"):
        extrapolate([100, 200], [0.3, -0.1], [1e-4] * 2, noise=NOISE)
    alone = extrapolate([1000], [0.2], [1e-4], noise=NOISE)
    assert alone.exponent_estimate()[0] == pytest.approx(STEEPEST / 2)
    assert alone.error(4000).low < 0.1 < alone.error(4000).high
