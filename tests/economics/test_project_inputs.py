"""A project's figures say where they come from: the file, a probe, or an assumption with its source."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from coffey.core.errors import ConfigError
from coffey.core.records import Origin
from coffey.core.settings import (
    AskingSettings,
    BudgetSettings,
    ChainSettings,
    CostSettings,
    Settings,
    TeacherSettings,
)
from coffey.economics.figures import measured
from coffey.economics.known import Known
from coffey.economics.probe_result import ProbeResult
from coffey.economics.project_inputs import plan_project, project_inputs

Build = Callable[..., Settings]


def test_what_is_not_measured_is_assumed_with_its_source(settings: Build) -> None:
    """Without a probe and without prices every guess carries a note."""
    inputs = project_inputs(settings(), Known(rows=1000))
    guessed = {name: f for name, f in inputs.figures().items() if f.origin is Origin.ASSUMED}
    assert {"teacher_usd_per_hour", "teacher_texts_per_s", "student_rps", "step_s:2M"} <= set(guessed)
    assert all(figure.note for figure in guessed.values())
    assert set(inputs.ranges) >= {"teacher_rps", "student_rps"}


def test_a_probe_replaces_the_guesses(settings: Build, probe: ProbeResult) -> None:
    """Speeds become measured, steps are scaled to the batch that will be used, int8 is taken as found."""
    inputs = project_inputs(settings(), Known(rows=1000, probe=probe))
    origins = {name: figure.origin for name, figure in inputs.figures().items()}
    for name in ("teacher_texts_per_s", "teacher_rps", "student_rps", "step_s:7M", "teacher_int8_speedup"):
        assert origins[name] is Origin.MEASURED, name
    assert inputs.stages[0].step_s.value == pytest.approx(0.05 * 64 / 32)
    assert inputs.teacher_int8_speedup is not None
    assert inputs.teacher_int8_speedup.value == 0.9
    assert inputs.stages[0].steps.value == 10 * 15


def test_a_verdict_on_a_speed_that_nobody_measured_says_so(settings: Build, probe: ProbeResult) -> None:
    """In a sentence of its own, with the way out; not after a probe, and not where a request has a price."""

    def said(known: Known, **given: CostSettings) -> str:
        return plan_project(settings(**given), known).verdict

    caveat = "The teacher's speed was assumed, {}: measure it with coffey plan --probe."
    assert said(Known(rows=1000, teacher_params=22_000_000)).endswith(caveat.format("from its size"))
    assert said(Known(rows=1000)).endswith(caveat.format("to be BERT-base's, for its size is not known"))
    assert "assumed" not in said(Known(rows=1000, probe=probe))
    assert "assumed" not in said(Known(rows=1000), cost=CostSettings(usd_per_1k_requests=0.3))


def test_configured_prices_are_used_as_they_are(settings: Build) -> None:
    """A price by the request stands; one by tokens is multiplied out and says so."""
    by_request = project_inputs(settings(cost=CostSettings(usd_per_1k_requests=0.3)), Known(rows=10))
    assert by_request.teacher_usd_per_1k is not None
    assert by_request.teacher_usd_per_1k.value == 0.3
    assert by_request.teacher_usd_per_1k.origin is Origin.CONFIGURED
    by_token = project_inputs(settings(cost=CostSettings(usd_per_1m_tokens=2.0)), Known(rows=10))
    assert by_token.teacher_usd_per_1k is not None
    assert by_token.teacher_usd_per_1k.value == pytest.approx(2.0 * 128 / 1000)
    by_hour = project_inputs(
        settings(cost=CostSettings(usd_per_hour=1.2), training_usd_per_hour=3.0), Known(rows=10)
    )
    assert by_hour.teacher_usd_per_hour is not None
    assert by_hour.teacher_usd_per_hour.value == 1.2
    assert by_hour.training_usd_per_hour.value == 3.0


def test_a_rate_that_bench_measured_wins(settings: Build) -> None:
    """After a bench the plan no longer derives the rate from a latency."""
    rate = measured(777.0, "requests a second", "bench")
    assert (
        project_inputs(settings(student_usd_per_hour=0.5), Known(rows=10)).student_usd_per_hour.value == 0.5
    )
    assert project_inputs(settings(), Known(rows=10, student_rps=rate)).student_rps.value == 777.0


def test_a_stage_of_unknown_size_is_refused(settings: Build) -> None:
    """Nothing is assumed about a stage that says nothing."""
    odd = dataclasses.replace(settings(), chain=ChainSettings(stages=("auto",)))
    shaped = dataclasses.replace(settings(), chain=ChainSettings(stages=("layers=2,width=64",)))
    assert project_inputs(shaped, Known(rows=10)).student_rps.value > 0
    with pytest.raises(ConfigError, match=r"chain\.stages = 'auto'"):
        plan_project(odd, Known(rows=10))


def test_a_student_too_slow_for_the_promise_is_noted(settings: Build) -> None:
    """The plan says that the latency budget will be missed instead of pricing it in silence."""
    large = dataclasses.replace(settings(), chain=ChainSettings(stages=("5B",)))
    assert any("p99 will not stay within" in note for note in plan_project(large, Known(rows=10)).notes)
    assert not any("The student needs" in note for note in plan_project(settings(), Known(rows=10)).notes)


def test_a_teacher_too_slow_for_the_promise_is_noted(settings: Build) -> None:
    """Its machines are counted at half its speed, which makes savings look large: the plan says so."""
    slow = dataclasses.replace(settings(), budget=BudgetSettings(latency_p99_ms=0.01))
    assert any(note.startswith("The teacher needs") for note in plan_project(slow, Known(rows=10)).notes)
    patient = dataclasses.replace(settings(), budget=BudgetSettings(latency_p99_ms=1e6))
    assert not any("p99" in note for note in plan_project(patient, Known(rows=10)).notes)


@pytest.mark.parametrize(
    ("stages", "prove", "routes"),
    [
        (("2M",), True, 0),
        (("2M", "1M"), False, 0),
        (("2M", "1M"), True, 1),
        (("3M", "2M", "1M", "700K"), True, 2),
    ],
)
def test_what_the_proof_trains_costs_the_training_of_the_chain(
    settings: Build, stages: tuple[str, ...], prove: bool, routes: int
) -> None:
    """The direct jump where there are stages to prove, and a shorter chain where there are several."""
    chain = ChainSettings(stages=stages, prove=prove)
    costs = plan_project(dataclasses.replace(settings(), chain=chain), Known(rows=10_000)).costs
    assert costs is not None
    assert costs.run.controls_usd == pytest.approx(routes * costs.run.training_usd)


def asked(settings: Build, cost: CostSettings, **asking: object) -> Settings:
    """The settings with a teacher of kind openai and two labels."""
    teacher = TeacherSettings(
        kind="openai",
        source="little",
        cost=cost,
        asking=AskingSettings(**asking),  # type: ignore[arg-type]
    )
    made = settings()
    return dataclasses.replace(
        made, teacher=teacher, task=dataclasses.replace(made.task, labels=("no", "yes"))
    )


def test_the_question_and_the_answer_are_priced_where_a_language_model_is_asked(settings: Build) -> None:
    """36 bytes of prompt are 9 tokens, with 8 around them; the input is 128 and the answer 4 tokens."""
    cost = CostSettings(usd_per_1m_tokens=2.0, usd_per_1m_output_tokens=10.0)
    prompt = "Is this text a yes or a no to you? {text}"
    once = project_inputs(asked(settings, cost, prompt=prompt, max_tokens=4), Known(rows=10))
    assert once.teacher_usd_per_1k is not None
    assert once.teacher_usd_per_1k.value == pytest.approx((2.0 * (9 + 8 + 128) + 10.0 * 4) / 1000)
    assert once.teacher_usd_per_1k.origin is Origin.ASSUMED
    sampled = asked(
        settings,
        cost,
        prompt=prompt,
        max_tokens=4,
        distribution="samples",
        samples=5,
        samples_per_request=2,
    )
    often = project_inputs(sampled, Known(rows=10)).teacher_usd_per_1k
    assert often is not None
    assert often.value == pytest.approx((3 * 2.0 * (9 + 8 + 128) + 10.0 * 4 * 5) / 1000)
    assert "3 request(s) an input" in often.note


def test_a_question_in_a_file_is_taken_to_be_the_plain_one(settings: Build) -> None:
    """A plan reads no files; the note says what was assumed."""
    cost = CostSettings(usd_per_1m_tokens=2.0)
    plain = project_inputs(asked(settings, cost), Known(rows=10)).teacher_usd_per_1k
    in_file = project_inputs(asked(settings, cost, prompt="prompts/a.txt"), Known(rows=10)).teacher_usd_per_1k
    assert plain is not None
    assert in_file is not None
    assert plain.value == in_file.value > 2.0 * 128 / 1000
    assert "taken to be the plain one" in in_file.note


def test_every_request_of_an_input_is_priced(settings: Build) -> None:
    """Five samples, two a request, are three requests."""
    cost = CostSettings(usd_per_1k_requests=0.5)
    drawn = {"distribution": "samples", "samples": 5, "samples_per_request": 2}
    found = project_inputs(asked(settings, cost, **drawn), Known(rows=10)).teacher_usd_per_1k
    assert found is not None
    assert found.value == 1.5
    assert found.origin is Origin.CONFIGURED
