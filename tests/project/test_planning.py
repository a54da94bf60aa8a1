"""The project's plan: from what is configured, or from what was measured here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coffey.bench.machine import describe_machine
from coffey.core.errors import MissingColumn
from coffey.dashboard.plain import plain
from coffey.economics.probe_result import ProbeResult, ServedProbe, StageProbe, TeacherProbe
from coffey.project.planning import _probed_of
from coffey.project.reporting import keep_result, kept_result


def test_a_plan_says_when_it_pays_and_where_each_figure_comes_from(untouched):
    """The teacher costs 1 USD per 1,000 as configured; each figure in USD has an origin."""
    plan = untouched.load().plan()
    assert plan["pays"] is True
    assert 0 < plan["break_even_days"] < 365
    assert plan["break_even"]["p10"] <= plan["break_even"]["p50"] <= plan["break_even"]["p90"]
    assert set(plan["origins"].values()) <= {"measured here", "configured", "assumed"}
    assert {"savings_usd_per_day", "run_usd", "sensitivity", "alternatives", "forecast"} <= set(plan)
    assert plan["costs"]["teacher"]["usd_per_1k"] == pytest.approx(1.0)
    assert untouched.asked() == [], "a plan without --probe asks nothing"


def test_a_plan_is_kept_with_its_page(untouched):
    """What was printed is kept for the report and for reconciling."""
    plan = untouched.load().plan()
    kept = kept_result(untouched.load().workspace, "plan")
    assert kept["break_even_days"] == plan["break_even_days"]
    assert (untouched.store / "reports" / "plan.html").read_text().startswith("<!")


def test_what_does_not_pay_is_said_plainly(untouched):
    """A teacher that costs next to nothing is not worth replacing."""
    untouched.edit("usd_per_1k_requests = 1.0", "usd_per_1k_requests = 0.000001")
    plan = untouched.load().plan()
    assert plan["pays"] is False
    assert plan["break_even_days"] is None


@pytest.mark.parametrize(("served", "used"), [(True, True), (False, False)])
def test_a_measured_rate_replaces_the_assumed_one(live, served, used):
    """What `coffey bench` found for the champion counts as measured; another artifact's rate does not."""
    space = live.load().workspace
    before = live.load().plan()["costs"]["student"]["machines"]
    artifact = space.registry.resolve("champion").artifact if served else "elsewhere/0123"
    bench = {"max_rps_within_slo": 1e-3, "artifact": artifact, "latency_p99_ms": 50.0}
    keep_result(space, "bench", bench)
    plan = live.load().plan()
    assert (plan["costs"]["student"]["machines"] > before) is used
    assert ("coffey bench" in {figure["note"] for figure in plan["figures"].values()}) is used


@pytest.mark.parametrize(
    ("promise", "stage", "used"), [(50.0, True, True), (40.0, True, False), (50.0, False, False)]
)
def test_a_benched_rate_is_of_one_promise_and_one_stage(live, promise, stage, used):
    """Another promise, or a chain that ends in another student, is told nothing by it."""
    space = live.load().workspace
    artifact = space.registry.resolve("champion").artifact
    last = space.settings.chain.stages[-1] if stage else "another"
    keep_result(space, "bench", {"max_rps_within_slo": 1e-3, "artifact": artifact, "latency_p99_ms": promise})
    keep_result(space, "distill", {"artifact": artifact, "stages": [{"name": last}]})
    notes = {figure["note"] for figure in live.load().plan()["figures"].values()}
    assert ("coffey bench" in notes) is used


def test_the_ladder_of_auto_is_that_of_the_teacher_that_was_loaded(untouched):
    """Also in later plans that load nothing; of another teacher the count says nothing."""
    untouched.edit('stages = ["layers=1,width=32,heads=1,vocabulary=400"]', 'stages = "auto"')
    space = untouched.load().workspace
    assert names(untouched.load().plan())[0] == "37M"
    keep_result(space, "teacher", {"of": plain(space.settings.teacher), "params": 9_000_000})
    assert names(untouched.load().plan())[0] == "3M"
    keep_result(space, "teacher", {"of": "another", "params": 9_000_000})
    assert names(untouched.load().plan())[0] == "37M"


def names(plan):
    return [one["name"] for one in plan["frontier"]["candidates"]]


@pytest.mark.slow
def test_a_probe_measures_once_and_is_kept(untouched):
    """Teacher, stages and machine are measured; a later plan without --probe uses them."""
    plan = untouched.load().plan(probe=True, quick=True)
    assert [stage["name"] for stage in plan["probe"]["stages"]] == list(
        untouched.load().settings.chain.stages
    )
    assert "measured here" in plan["origins"].values()
    asked = len(untouched.asked())
    assert asked > 0
    again = untouched.load().plan()
    assert again["probe"] == plan["probe"]
    assert len(untouched.asked()) == asked
    untouched.edit("width=32,heads=1", "width=64,heads=2")
    assert untouched.load().plan()["probe"] is None, "other stages were not measured"


@pytest.mark.parametrize(("promise", "used"), [(50, True), (20, False)])
def test_the_rate_that_a_probe_served_at_replaces_the_assumed_one(untouched, promise, used):
    """As long as the promise is the one that it was measured for; `coffey bench` knows better still."""
    space = untouched.load().workspace
    (stage,) = space.settings.chain.stages
    served = ServedProbe(p50_ms=1.0, p99_ms=2.0, latency_p99_ms=50.0, max_rps=123.0, resident_bytes=None)
    measured = probed(stage, served)
    keep_result(space, "probe", {"of": _probed_of(space.settings), "probe": plain(measured)})
    untouched.edit("min_retention = 0.8", f"min_retention = 0.8\nlatency_p99_ms = {promise}")
    figure = untouched.load().plan()["figures"]["student_rps"]
    assert (figure["value"] == 123.0) is used
    assert figure["origin"] == "measured here"


def test_a_noisy_probe_says_so(untouched):
    """The warning is kept with the probe, and is a note of every plan that reads it."""
    space = untouched.load().workspace
    (stage,) = space.settings.chain.stages
    served = ServedProbe(p50_ms=1.0, p99_ms=2.0, latency_p99_ms=50.0, max_rps=123.0, resident_bytes=None)
    measured = replace(probed(stage, served), noise_warning="This machine is noisy.")
    keep_result(space, "probe", {"of": _probed_of(space.settings), "probe": plain(measured)})
    assert "While the probe measured: This machine is noisy." in untouched.load().plan()["notes"]


def probed(stage: str, served: ServedProbe) -> ProbeResult:
    return ProbeResult(
        machine=describe_machine(),
        teacher=TeacherProbe(
            texts=60, p50_ms=1.0, p99_ms=2.0, texts_per_s=1000.0, batch_size=32, self_agreement=1.0,
            usd_per_1k=1.0,
        ),
        stages=(
            StageProbe(
                name=stage, params=1, params_without_embeddings=1, size_bytes=1, variant="int8", p50_ms=1.0,
                p99_ms=2.0, texts_per_s=1000.0, step_s=0.01, step_batch_size=32, served=served,
            ),
        ),
        seconds=1.0,
    )  # fmt: skip


def test_a_missing_column_is_an_error(untouched):
    """A plan reads the transfer set: what cannot be read is told."""
    untouched.edit("[task]", '[task]\ntext = "body"')
    with pytest.raises(MissingColumn):
        untouched.load().plan()
