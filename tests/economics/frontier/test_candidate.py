"""A candidate is the plan of its own chain, with latencies from where they are known best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from coffey.core.errors import ConfigError
from coffey.core.records import Origin
from coffey.core.settings import BudgetSettings, Settings
from coffey.economics.calibration import Calibration, Observed
from coffey.economics.candidate import make_candidate, teacher_point
from coffey.economics.figures import measured
from coffey.economics.known import Known
from coffey.economics.probe_result import ProbeResult, ServedProbe
from coffey.economics.quality_forecast import QualityForecast

Build = Callable[..., Settings]


def served_by(probe: ProbeResult, name: str, max_rps: float) -> ProbeResult:
    """The probe with one stage measured through the server too."""
    served = ServedProbe(
        p50_ms=1.5, p99_ms=4.0, latency_p99_ms=50.0, max_rps=max_rps, resident_bytes=100_000_000
    )
    return replace(
        probe,
        stages=tuple(replace(one, served=served) if one.name == name else one for one in probe.stages),
    )


def test_without_a_probe_all_is_assumed(settings: Build) -> None:
    """The size comes from the stage's text; latency has the range of a guess, p99 is of exponential times."""
    found = make_candidate(settings(), Known(rows=1000), ("7M", "2M"))
    assert (found.name, found.params, found.size_bytes) == ("2M", 2_000_000, None)
    assert found.p99_ms.origin is Origin.ASSUMED
    assert found.p99_ms.value == pytest.approx(found.p50_ms.value * math.log(100))
    assert found.p99_range_ms == pytest.approx((found.p99_ms.value / 2, found.p99_ms.value * 2))
    low, high = found.run_range_usd
    assert low < found.run_usd < high


def test_the_chain_up_to_it_is_paid_for(settings: Build) -> None:
    """A longer chain trains more; where it ends decides what serving costs."""
    short = make_candidate(settings(), Known(rows=1000), ("2M",))
    long = make_candidate(settings(), Known(rows=1000), ("7M", "2M"))
    assert long.run_usd > short.run_usd
    assert long.usd_per_1k == short.usd_per_1k
    assert long.p99_ms == short.p99_ms


def test_a_probe_measures_in_process(settings: Build, probe: ProbeResult) -> None:
    """Then size, parameters and p99 are counted and measured, with the range of a timing."""
    found = make_candidate(settings(), Known(rows=1000, probe=probe), ("7M", "2M"))
    assert (found.params, found.size_bytes) == (1000, 4000)
    assert found.p99_ms.value == 2.0
    assert found.p99_ms.origin is Origin.MEASURED
    assert "in process" in found.p99_ms.note
    assert found.p99_range_ms == pytest.approx((2.0 / 1.1, 2.0 * 1.1))


def test_what_was_measured_through_the_server_wins(settings: Build, probe: ProbeResult) -> None:
    """The budget is on requests through the server: its latencies and its rate replace those in process."""
    known = Known(rows=1000, probe=served_by(probe, "2M", max_rps=321.0))
    found = make_candidate(settings(), known, ("7M", "2M"))
    assert (found.p50_ms.value, found.p99_ms.value) == (1.5, 4.0)
    assert "through coffey serve" in found.p99_ms.note
    assert found.plan.figures["student_rps"].value == 321.0


def test_a_rate_of_another_promise_is_not_used(settings: Build, probe: ProbeResult) -> None:
    """Nor is the 0 of a search that found none."""
    known = Known(rows=1000, probe=served_by(probe, "2M", max_rps=321.0))
    stricter = replace(settings(), budget=BudgetSettings(latency_p99_ms=10.0))
    assert make_candidate(stricter, known, ("2M",)).plan.figures["student_rps"].value != 321.0
    none = Known(rows=1000, probe=served_by(probe, "2M", max_rps=0.0))
    assert make_candidate(settings(), none, ("2M",)).plan.figures["student_rps"].value > 0


def test_a_benched_rate_is_taken_before_a_probed_one(settings: Build, probe: ProbeResult) -> None:
    """It was measured on the student that is served."""
    rate = measured(777.0, "requests a second", "coffey bench")
    known = Known(rows=1000, probe=served_by(probe, "2M", max_rps=321.0), student_rps=rate)
    assert make_candidate(settings(), known, ("2M",)).plan.figures["student_rps"].value == 777.0


def test_a_benched_rate_is_not_corrected_by_what_forecasts_of_it_missed(settings: Build) -> None:
    """It is what the forecasts were held against; its range is that of a measurement."""
    missed = Observed(run="a", figure="student_rps", origin=Origin.MEASURED, forecast=1000.0, actual=100.0)
    rate = measured(100.0, "requests a second", "coffey bench")
    known = Known(rows=1000, student_rps=rate)
    found = make_candidate(settings(), known, ("2M",), record=Calibration.of([missed]))
    assert found.plan.ranges["student_rps"] == pytest.approx((100 / 1.1, 110.0))


def test_a_foreseen_loss_of_quality_is_priced(settings: Build) -> None:
    """Where a wrong answer has a price, a worse student is dearer."""
    priced = settings(error_usd=0.01, requests_per_day=100_000.0)
    nets = [
        make_candidate(
            priced,
            Known(rows=1000),
            ("2M",),
            QualityForecast(
                measure="retention",
                value=value,
                low=value - 0.01,
                high=value + 0.01,
                rows=1,
                points=3,
                doubled=1,
            ),
        ).net_usd
        for value in (0.99, 0.95)
    ]
    assert nets[0] > nets[1]


def test_a_stage_of_unknown_size_is_refused(settings: Build) -> None:
    """Nothing is assumed about a text that says nothing."""
    with pytest.raises(ConfigError, match=r"chain\.stages = 'small'"):
        make_candidate(settings(), Known(rows=10), ("small",))


def test_the_teacher_is_shown_where_it_was_probed(settings: Build, probe: ProbeResult) -> None:
    """Its latencies are measured or not shown at all."""
    known = Known(rows=1000, probe=probe)
    plan = make_candidate(settings(), known, ("2M",)).plan
    point = teacher_point(known, plan)
    assert point is not None
    assert (point.p50_ms, point.p99_ms) == (20.0, 30.0)
    assert point.usd_per_1k is not None
    assert teacher_point(Known(rows=1000), plan) is None


def test_the_record_of_earlier_forecasts_sets_the_ranges(settings: Build) -> None:
    """After a run that took four times as long, latency and cost of the next may be that wrong again."""
    wild = Calibration.of(
        Observed(run="1", figure=figure, origin=Origin.ASSUMED, forecast=1.0, actual=4.0)
        for figure in ("student_p50_ms", "stage_s:2M")
    )
    plain = make_candidate(settings(), Known(rows=1000), ("2M",))
    warned = make_candidate(settings(), Known(rows=1000), ("2M",), record=wild)
    assert warned.p99_ms == plain.p99_ms
    assert warned.p99_range_ms[1] > plain.p99_range_ms[1]
    assert warned.run_range_usd[1] > plain.run_range_usd[1]
