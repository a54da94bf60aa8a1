"""The record of forecasts corrects and narrows the next one, or widens it; never by the order of its runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.records import Figure, Origin
from coffey.economics.calibration import PRIOR_RUNS, SHARE, Calibration, Observed, calibrated_ranges
from coffey.economics.capacity import rate_figure

FACTOR = 1.1
ratios = st.lists(st.floats(0.2, 5.0), min_size=1, max_size=12)


def record(
    *actual_over_forecast: float, figure: str = "stage_s:2M", origin: Origin = Origin.MEASURED
) -> Calibration:
    return Calibration.of(
        Observed(run=str(run), figure=figure, origin=origin, forecast=10.0, actual=10.0 * ratio)
        for run, ratio in enumerate(actual_over_forecast)
    )


def ends(calibration: Calibration, factor: float = FACTOR) -> tuple[float, float]:
    found = calibration.calibrated("stage_s:1M", factor, origin=Origin.MEASURED)
    return found.low, found.high


def test_without_a_run_the_default_range_holds() -> None:
    """Exactly: factor down, factor up, nothing corrected."""
    found = Calibration({}).calibrated("run_usd", 2.0, origin=Origin.ASSUMED)
    assert (found.low, found.centre, found.high, found.runs) == (0.5, 1.0, 2.0, 0)


def test_many_exact_forecasts_narrow_the_range() -> None:
    """More of them narrow it more; it never closes."""
    widths = [high / low for low, high in (ends(record(*[1.0] * runs)) for runs in (1, 4, 16, 64))]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] < FACTOR**2
    assert 1 < widths[-1] < FACTOR**0.6


def test_a_wild_run_widens_the_range_and_hardly_moves_its_middle() -> None:
    """After ten exact forecasts, one that was four times too low."""
    before = record(*[1.0] * 10).calibrated("stage_s", FACTOR, origin=Origin.MEASURED)
    after = record(*[1.0] * 10, 4.0).calibrated("stage_s", FACTOR, origin=Origin.MEASURED)
    assert after.high > before.high
    assert after.low < before.low
    assert after.centre == pytest.approx(before.centre)


def test_a_constant_bias_is_corrected() -> None:
    """Forecasts that always say half become twice what they were, the more runs the nearer."""
    centres = [
        record(*[2.0] * runs).calibrated("stage_s", FACTOR, origin=Origin.MEASURED).centre
        for runs in (1, 4, 40)
    ]
    assert centres == sorted(centres)
    assert centres[1] == pytest.approx(2 ** (4 / (4 + PRIOR_RUNS)))
    assert centres[-1] == pytest.approx(2.0, rel=0.1)


def test_a_modelled_rate_has_a_record_of_its_own() -> None:
    """How wrong rates that follow from a latency were says nothing about rates that were measured."""
    missed = Observed(
        run="a", figure="student_rps", origin=Origin.MEASURED, forecast=1.0, actual=0.5, modelled=True
    )
    found = Calibration.of([missed])
    seen = [
        found.calibrated("student_rps", FACTOR, origin=Origin.MEASURED, modelled=modelled).runs
        for modelled in (False, True)
    ]
    assert seen == [0, 1]
    followed = {"student_rps": rate_figure(Figure(2.0, "ms", Origin.MEASURED), latency_p99_ms=50)}
    assert set(calibrated_ranges(followed, found, {Origin.MEASURED: FACTOR})) == {"student_rps"}
    under_load = {"student_rps": Figure(400.0, "requests a second", Origin.MEASURED)}
    assert not calibrated_ranges(under_load, found, {Origin.MEASURED: FACTOR})


@given(ratios, st.randoms())
def test_order_does_not_matter(found: list[float], random: object) -> None:
    """To the last bit."""
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ends(record(*found)) == ends(record(*shuffled))


@given(ratios, st.floats(1.0, 10.0))
def test_a_range_is_a_range(found: list[float], factor: float) -> None:
    """Low, centre, high, all above 0."""
    made = record(*found).calibrated("stage_s", factor, origin=Origin.MEASURED)
    assert 0 < made.low <= made.centre <= made.high < math.inf
    assert made.inverse().inverse().low == pytest.approx(made.low)


def test_in_the_long_run_ranges_hold_what_they_say() -> None:
    """Eight of ten, whatever the default was: learned from 60 runs of a bias of 1.3 and a spread of 0.2."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        runs = np.exp(rng.normal(math.log(1.3), 0.2, size=61))
        low, high = ends(record(*runs[:-1].tolist()), factor=1.5)
        held += bool(low <= runs[-1] <= high)
    spread = math.sqrt(SHARE * (1 - SHARE) / 300)
    assert abs(held / 300 - SHARE) < 3 * spread


def test_stages_of_a_run_count_as_one_run_and_origins_are_kept_apart() -> None:
    """Three stages on a busy afternoon are one lesson; a guess teaches nothing about measurements."""
    stages = [
        Observed(run="a", figure=f"stage_s:{name}", origin=Origin.MEASURED, forecast=1.0, actual=actual)
        for name, actual in (("7M", 1.1), ("2M", 1.2), ("1M", 9.0))
    ]
    found = Calibration.of(stages).calibrated("stage_s:700K", FACTOR, origin=Origin.MEASURED)
    assert found.runs == 1
    assert found == record(1.2).calibrated("stage_s", FACTOR, origin=Origin.MEASURED)
    assert Calibration.of(stages).calibrated("stage_s:700K", 2.0, origin=Origin.ASSUMED).runs == 0


def test_what_is_nothing_teaches_nothing() -> None:
    """A forecast or an outcome of 0 has no ratio."""
    nothing = [
        Observed(run="a", figure="run_usd", origin=Origin.MEASURED, forecast=0.0, actual=1.0),
        Observed(run="b", figure="run_usd", origin=Origin.MEASURED, forecast=1.0, actual=0.0),
    ]
    assert Calibration.of(nothing).calibrated("run_usd", FACTOR, origin=Origin.MEASURED).runs == 0


def test_input_figures_get_the_ranges_of_what_follows_from_them() -> None:
    """A step takes as much longer as its stage did; a teacher is as much slower as labelling took longer."""
    figures = {
        "step_s:2M": Figure(0.1, "s a step", Origin.MEASURED),
        "teacher_texts_per_s": Figure(100.0, "texts a second", Origin.MEASURED),
        "people_hours": Figure(8.0, "hours", Origin.CONFIGURED),
    }
    defaults = {Origin.MEASURED: FACTOR}
    assert calibrated_ranges(figures, Calibration({}), defaults) == {}
    slower = Calibration.of(
        Observed(run=str(run), figure=figure, origin=Origin.MEASURED, forecast=1.0, actual=2.0)
        for run in range(20)
        for figure in ("stage_s:2M", "labelling_s")
    )
    found = calibrated_ranges(figures, slower, defaults)
    assert set(found) == {"step_s:2M", "teacher_texts_per_s"}
    assert found["step_s:2M"][0] > 0.1
    assert found["teacher_texts_per_s"][1] < 100.0
