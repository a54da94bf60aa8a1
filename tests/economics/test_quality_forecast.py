"""Earlier runs move a forecast by their bias, and widen or narrow it by how well forecasts came true."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.economics.quality_forecast import Prior, QualityForecast, Reached, Uncorrected
from coffey.stats.power_law import FLAT

LAW = Uncorrected(value=0.90, low=0.87, high=0.92, exponent=0.4, exponent_sd=0.2)
FORECAST = QualityForecast(
    measure="agreement",
    value=0.91,
    low=0.88,
    high=0.93,
    rows=10_000,
    points=4,
    doubled=0.93,
    uncorrected=LAW,
)


def reached(actual: float, **changes: float) -> Reached:
    """`LAW`, and what came of it."""
    forecast = replace(FORECAST, uncorrected=replace(LAW, **changes))
    pair = Reached.of(forecast, actual)
    assert pair is not None
    return pair


def width(prior: Prior) -> float:
    _, low, high = prior.correct(LAW, most=1.0)
    return high - low


def test_a_forecast_survives_its_file() -> None:
    """Read back, it is equal; a file without a field is refused."""
    assert QualityForecast.from_json(json.loads(json.dumps(FORECAST.to_json()))) == FORECAST
    with pytest.raises(ValueError, match="doubled"):
        QualityForecast.from_json({k: v for k, v in FORECAST.to_json().items() if k != "doubled"})


def test_without_earlier_runs_nothing_changes() -> None:
    """No run: the law's own interval, and no opinion about the exponent."""
    assert Prior().correct(LAW, most=1.0) == (LAW.value, LAW.low, LAW.high)
    assert Prior().exponent == FLAT


def test_runs_that_went_as_foreseen_narrow() -> None:
    """The more often the middle came true, the narrower; the value stays."""
    widths = [width(Prior((reached(0.90),) * runs)) for runs in (0, 2, 6, 20)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.5 * widths[0]
    assert Prior((reached(0.90),) * 6).correct(LAW, most=1.0)[0] == pytest.approx(0.90)


def test_runs_that_went_otherwise_widen() -> None:
    """Misses on both sides leave the value and widen the interval."""
    misses = Prior((reached(0.80), reached(1.0)) * 3)
    value, low, _ = misses.correct(LAW, most=1.0)
    assert value == pytest.approx(0.90)
    assert low < LAW.low
    assert misses.scale > 1.5


def test_a_lasting_bias_shifts() -> None:
    """Runs that end 4 points higher lift value and bounds; few of them, less."""
    few, many = (Prior((reached(0.94),) * runs) for runs in (1, 30))
    assert 0.90 < few.correct(LAW, most=1.0)[0] < many.correct(LAW, most=1.0)[0] < 0.94
    assert many.correct(LAW, most=1.0)[0] == pytest.approx(0.94, abs=0.006)
    assert many.correct(LAW, most=1.0)[2] > LAW.high


def test_corrections_do_not_add_up() -> None:
    """A bias is measured against the law itself, so what was corrected once is not corrected twice."""
    corrected = replace(FORECAST, value=0.94)
    again = Reached.of(corrected, 0.94)
    assert again is not None
    assert again.bias == pytest.approx(0.04)
    assert Reached.of(replace(FORECAST, uncorrected=None), 0.94) is None


def test_only_runs_of_the_same_measure_count() -> None:
    """Retention says nothing of agreement."""
    other = replace(reached(0.5), measure="retention")
    assert Prior.of("agreement", [other, reached(0.9)]).runs == (reached(0.9),)


def test_exponents_of_earlier_runs_become_a_prior() -> None:
    """Sure ones weigh more; agreement between runs sharpens, at most to the spread between tasks."""
    prior = Prior((reached(0.9, exponent=0.3, exponent_sd=0.05), reached(0.9, exponent=0.6, exponent_sd=0.5)))
    assert 0.3 < prior.exponent.mean < 0.4
    alike = Prior((reached(0.9, exponent=0.3, exponent_sd=0.05),) * 20).exponent
    apart = Prior((reached(0.9, exponent=0.1), reached(0.9, exponent=0.9)) * 10).exponent
    assert 0.1 < alike.sd < 0.12
    assert apart.sd > 0.4


@given(actuals=st.lists(st.floats(0, 1), max_size=8), most=st.floats(0.95, 1.2))
def test_bounds_stay_in_order_and_possible(actuals: list[float], most: float) -> None:
    """Whatever happened before: low ≤ value ≤ high, within 0 and the value without an error."""
    value, low, high = Prior(tuple(reached(actual) for actual in actuals)).correct(LAW, most=most)
    assert 0 <= low <= value <= high <= most
