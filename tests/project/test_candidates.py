"""The chain's stages are the candidates; with "auto" a ladder is, and what the plan recommends is trained."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.records import Machine
from coffey.core.settings import (
    BudgetSettings,
    ChainSettings,
    DataSettings,
    ProjectSettings,
    Settings,
    TeacherSettings,
)
from coffey.economics.figures import measured
from coffey.economics.known import Known
from coffey.economics.probe_result import ProbeResult, TeacherProbe
from coffey.economics.quality_forecast import QualityForecast
from coffey.project.candidates import (
    choose_chain,
    is_auto,
    judge_candidates,
    ladder,
    make_candidates,
    planned,
    said_frontier,
    with_stages,
)
from coffey.project.rules import stage_problem

RATE = measured(5000.0, "requests a second", "coffey bench")


def made(*stages: str, **budget: float) -> Settings:
    return Settings(
        project=ProjectSettings(name="test"),
        teacher=TeacherSettings(kind="python", source="a:b"),
        data=DataSettings(transfer=("a.jsonl",), holdout=("b.jsonl",)),
        chain=ChainSettings(stages=stages),
        budget=BudgetSettings(**{"latency_p99_ms": 1000.0, **budget}),
    )


def quality(value: float, half: float = 0.002) -> QualityForecast:
    return QualityForecast(
        measure="retention",
        value=value,
        low=value - half,
        high=value + half,
        rows=100,
        points=4,
        doubled=value,
    )


def size(stage: str) -> float:
    return float(stage[:-1]) * {"K": 1e3, "M": 1e6, "B": 1e9}[stage[-1]]


@given(st.integers(1, 10**12))
def test_a_ladder_goes_from_a_third_to_a_hundredth_in_steps_of_about_three(teacher: int) -> None:
    """Every rung reads as a stage, is about a third of the one before, and none is too small to build."""
    rungs = ladder(teacher)
    assert rungs
    if teacher < 1_000_000:
        return
    assert all(stage_problem(rung) is None for rung in rungs)
    sizes = [size(rung) for rung in rungs]
    assert sizes[0] == pytest.approx(teacher / 3, rel=0.06)
    assert all(2.8 < large / small < 3.7 for large, small in zip(sizes, sizes[1:], strict=False))
    assert min(sizes) >= 0.95 * 100_000
    if teacher >= 20_000_000:
        assert len(rungs) == 4
        assert sizes[-1] == pytest.approx(teacher / 100, rel=0.06)


@pytest.mark.parametrize(
    "stage",
    ["static:300K", "static:width=64", "static:width=64,vocabulary=8000,hidden=32", "module=a.b:make"],
)
def test_every_family_can_be_written(stage):
    """Stages of static students and of the user's own modules are read."""
    assert stage_problem(stage) is None


def test_each_stage_is_a_candidate_with_the_chain_up_to_it() -> None:
    """Three stages, three students that could ship."""
    found = make_candidates(made("7M", "2M", "700K"), Known(rows=1000))
    assert [one.stages for one in found] == [("7M",), ("7M", "2M"), ("7M", "2M", "700K")]
    assert [one.name for one in found] == ["7M", "2M", "700K"]
    assert [one.run_usd for one in found] == sorted(one.run_usd for one in found)


def test_a_benched_rate_is_only_that_of_the_student_that_was_benched() -> None:
    """The others are not given the speed of a smaller model."""
    found = make_candidates(made("7M", "2M"), Known(rows=1000, student_rps=RATE))
    rates = [one.plan.figures["student_rps"].value for one in found]
    assert rates[1] == 5000.0
    assert rates[0] < 5000.0
    known = Known(rows=1000, student_rps=RATE, student_stage="7M")
    first, second = make_candidates(made("7M", "2M"), known)
    assert first.plan.figures["student_rps"].value == 5000.0
    assert second.plan.figures["student_rps"].value < 5000.0


def test_auto_is_a_ladder_below_the_teacher() -> None:
    """Of a teacher whose size is known; else of the usual one."""
    settings = made("auto")
    assert is_auto(settings)
    known = Known(rows=1000, teacher_params=22_713_216)
    assert [one.name for one in make_candidates(settings, known)] == ["7.6M", "2.4M", "730K", "230K"]
    assert [one.name for one in make_candidates(settings, Known(rows=1000))][0] == "37M"
    assert not is_auto(with_stages(settings, ("2M",)))


def test_a_probed_teacher_has_the_size_that_was_counted() -> None:
    """The count of the probe is taken before any other."""
    teacher = TeacherProbe(
        texts=64, p50_ms=20.0, p99_ms=30.0, texts_per_s=80.0, batch_size=32, self_agreement=1.0,
        usd_per_1k=0.004, params=30_000_000,
    )  # fmt: skip
    probe = ProbeResult(
        machine=Machine("test", 2, 4.0, "linux", "3.11"), teacher=teacher, stages=(), seconds=1.0
    )
    found = make_candidates(made("auto"), Known(rows=1000, probe=probe, teacher_params=1))
    assert found[0].name == "10M"
    assert judge_candidates(made("auto"), Known(rows=1000, probe=probe)).teacher is not None


def test_with_auto_what_the_plan_recommends_is_trained() -> None:
    """The whole ladder down to the recommended rung, and no further."""
    settings = made("auto")
    known = Known(rows=1000, teacher_params=22_713_216)
    qualities = {"7.6M": quality(0.99), "2.4M": quality(0.985), "730K": quality(0.95), "230K": quality(0.9)}
    frontier = judge_candidates(settings, known, qualities)
    assert frontier.chosen is not None
    kept = {"frontier": said_frontier(settings, frontier)}
    chain = choose_chain(settings, kept)
    assert chain.stages == frontier.chosen.candidate.stages
    assert chain.stages in (("7.6M",), ("7.6M", "2.4M"))
    assert chain.why == "recommended by the last plan"


def test_without_a_recommendation_a_default_is_trained_and_says_why() -> None:
    """No plan, one that knows no quality, one of another teacher or budget: each is told."""
    settings = made("auto")
    known = Known(rows=1000, teacher_params=22_713_216)
    default = ("7.6M", "2.4M")
    assert choose_chain(settings, None, teacher_params=22_713_216).stages == default
    assert "no plan has compared" in choose_chain(settings, None).why
    unknown = {"frontier": said_frontier(settings, judge_candidates(settings, known))}
    chain = choose_chain(settings, unknown, teacher_params=22_713_216)
    assert chain.stages == default
    assert "recommended none" in chain.why
    good = {name: quality(0.99) for name in ("7.6M", "2.4M", "730K", "230K")}
    advised = {"frontier": said_frontier(settings, judge_candidates(settings, known, good))}
    for other in (
        made("auto", latency_p99_ms=900.0),
        dataclasses.replace(settings, teacher=TeacherSettings(kind="python", source="c:d")),
    ):
        chain = choose_chain(other, advised, teacher_params=22_713_216)
        assert chain.stages == default
        assert "another teacher or budget" in chain.why


def test_stages_that_are_written_are_trained_whatever_a_plan_says() -> None:
    """A recommendation is advice; only "auto" takes it."""
    settings = made("7M", "2M")
    known = Known(rows=1000)
    kept = {"frontier": said_frontier(settings, judge_candidates(settings, known, {"7M": quality(0.99)}))}
    assert choose_chain(settings, kept).stages == ("7M", "2M")


def test_a_pilots_forecast_reaches_its_own_stage() -> None:
    """By the stage's text, and nobody else's."""
    found = make_candidates(made("7M", "2M"), Known(rows=1000), {"2M": quality(0.98)})
    assert found[0].quality is None
    assert found[1].quality == quality(0.98)


def test_the_plan_of_the_project_is_that_of_one_candidate() -> None:
    """The last stage's where stages are written; with "auto" the recommended one's, else the default's."""
    known = Known(rows=1000, teacher_params=22_713_216)
    written = made("7M", "2M", "700K")
    assert planned(written, judge_candidates(written, known)).name == "700K"
    auto = made("auto")
    unknown = judge_candidates(auto, known)
    assert planned(auto, unknown).stages == choose_chain(auto, None, teacher_params=22_713_216).stages
    good = judge_candidates(auto, known, {"7.6M": quality(0.99)})
    assert planned(auto, good).name == "7.6M"
