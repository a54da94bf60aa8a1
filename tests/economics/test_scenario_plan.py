"""A scenario file is planned without measuring anything, or refused with all that is wrong with it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from coffey.core.errors import ConfigError
from coffey.economics.scenario import load_scenario
from coffey.economics.scenario_plan import plan_scenario

RECIPE = Path(__file__).parents[2] / "recipes" / "one-billion.toml"
Edit = Callable[..., dict[str, Any]]


def planned(path: Path = RECIPE) -> dict[str, Any]:
    return cast("dict[str, Any]", plan_scenario(path))


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """The plan of the recipe with some of its text replaced."""

    def plan(*changes: tuple[str, str]) -> dict[str, Any]:
        text = RECIPE.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path = tmp_path / "scenario.toml"
        path.write_text(text, encoding="utf-8")
        return planned(path)

    return plan


def test_the_recipe_says_what_issue_and_seed_figures_ask() -> None:
    """A run of 1,000 to 10,000 USD, about 0.01 USD saved per 1,000 of 10 million requests a day, a break-even
    with its spread, and memory that fits."""
    plan = planned()
    assert 1_000 < plan["run_usd"] < 10_000
    assert 0.005 < plan["savings_usd_per_day"] / 10_000 < 0.02
    assert plan["pays"]
    assert plan["break_even"]["p10"] < plan["break_even_days"] < plan["break_even"]["p90"]
    chain, direct = (plan["scenario"]["paths"][name] for name in ("chain", "direct"))
    assert [stage["name"] for stage in chain["stages"]] == ["300M", "100M", "30M"]
    assert chain["fits"]
    assert direct["device_hours"] < chain["device_hours"]
    assert direct["savings_usd_per_day"] == chain["savings_usd_per_day"]


def test_models_have_the_sizes_they_are_named_for() -> None:
    """Within 12 %: 1B, 300M, 100M, 30M."""
    scenario = load_scenario(RECIPE)
    found = [scenario.teacher, *(stage.model for stage in scenario.stages)]
    targets = {"1B": 1e9, "300M": 3e8, "100M": 1e8, "30M": 3e7}
    assert [model.name for model in found] == list(targets)
    for model in found:
        assert model.shape.parameters() == pytest.approx(targets[model.name], rel=0.12)


def test_a_run_costs_its_parts() -> None:
    """Labelling, device hours of all jobs at the cluster's price, and people."""
    plan = planned()
    price = plan["scenario"]["hardware"]["h100-sxm-80gb"]["usd_per_hour"]["value"]
    for path in plan["scenario"]["paths"].values():
        assert path["training_usd"] == pytest.approx(path["device_hours"] * price)
        jobs = path["stages"] + path["answers"]
        assert path["device_hours"] == pytest.approx(sum(job["device_hours"]["value"] for job in jobs))
        parts = path["labelling_usd"] + path["training_usd"] + path["people_usd"]
        assert path["run_usd"] == pytest.approx(parts, rel=0.05)


def test_utilization_stays_below_what_papers_report() -> None:
    """A tenth to a half of the peak: what is neither idle nor a miracle."""
    for path in planned()["scenario"]["paths"].values():
        for stage in path["stages"]:
            assert 0.1 < stage["utilization"] < 0.5


def test_more_devices_take_less_time_and_about_as_many_hours(edited: Edit) -> None:
    """Data parallelism: twice the devices, half the inputs each."""
    few, many = planned(), edited(("devices = 8", "devices = 16"))
    before, after = (plan["scenario"]["paths"]["chain"]["stages"][0] for plan in (few, many))
    assert after["step_s"]["value"] < before["step_s"]["value"]
    assert after["device_hours"]["value"] == pytest.approx(before["device_hours"]["value"], rel=0.1)


def test_twice_the_transfer_set_takes_twice_the_training(edited: Edit) -> None:
    """And the labels cost twice as much; nothing else changes."""
    doubled = edited(("rows = 50_000_000", "rows = 100_000_000"))
    before, after = (plan["scenario"]["paths"]["chain"] for plan in (planned(), doubled))
    for key in ("training_usd", "labelling_usd"):
        assert after[key] == pytest.approx(2 * before[key], rel=1e-3)


def test_what_does_not_fit_is_said(edited: Edit) -> None:
    """A 1B stage on one T4 needs more than 16 GB for weights and moments alone."""
    plan = edited(
        ('machine = "h100-sxm-80gb"\ndevices = 8\nprecision = "bf16"',
         'machine = "t4"\ndevices = 1\nprecision = "fp16"'),
        ("width = 1024\nheads = 16", "width = 2048\nheads = 16"),
    )  # fmt: skip
    assert not plan["scenario"]["paths"]["chain"]["fits"]
    assert any("300M does not fit while it is trained" in note for note in plan["notes"])


def test_a_promise_that_cannot_be_kept_is_said(edited: Edit) -> None:
    """One millisecond for a billion parameters."""
    plan = edited(("latency_p99_ms = 50", "latency_p99_ms = 1"))
    assert any("1B on NVIDIA H100" in note and "does not keep p99" in note for note in plan["notes"])


def test_a_teacher_that_writes_costs_more(edited: Edit) -> None:
    """Fifty decoded tokens an answer."""
    changes = ('name = "1B"', 'name = "1B"\nkind = "decoder"')
    read, written = edited(changes), edited((changes[0], changes[1] + "\ndecoded_tokens = 50"))
    before, after = (plan["scenario"]["serving"]["teacher"]["requests_per_s"] for plan in (read, written))
    assert after["value"] < before["value"]
    assert (
        written["scenario"]["paths"]["chain"]["labelling_usd"]
        > 2 * (read["scenario"]["paths"]["chain"]["labelling_usd"])
    )


def test_an_int8_teacher_is_no_alternative_to_itself(edited: Edit) -> None:
    """The alternative is priced for a bf16 teacher, and not for one that serves int8 already."""

    def said(plan: dict[str, Any]) -> str:
        return str(next(row["note"] for row in plan["alternatives"] if row["name"] == "int8 the teacher"))

    served = 'teacher = { machine = "h100-sxm-80gb", precision = "bf16" }'
    assert "faster (assumed)" in said(planned())
    assert "faster" not in said(edited((served, served.replace("bf16", "int8")))).partition("how much")[0]


def test_machines_are_assumed_and_the_file_is_configured() -> None:
    """Every figure of the plan says which of the two it is; none claims to be measured."""
    origins = planned()["origins"]
    assumed = {"teacher_usd_per_hour", "student_usd_per_hour", "teacher_rps", "student_rps", "step_s:30M"}
    assert {origins[name] for name in assumed} == {"assumed"}
    assert {origins[name] for name in ("requests_per_day", "transfer_rows", "steps:30M")} == {"configured"}
    assert "measured here" not in origins.values()


def test_own_prices_are_taken_from_a_file_beside_the_scenario(tmp_path: Path, edited: Edit) -> None:
    """`hardware` names it; its source stands in the answer."""
    (tmp_path / "ours.toml").write_text(
        '[h100-sxm-80gb]\nusd_per_hour = { value = 1.5, source = "our contract", date = "2026-01" }'
    )
    plan = edited(("\n[transfer]", '\nhardware = "ours.toml"\n[transfer]'))
    assert "our contract" in plan["scenario"]["hardware"]["h100-sxm-80gb"]["usd_per_hour"]["note"]
    assert plan["savings_usd_per_day"] < planned()["savings_usd_per_day"]


def test_a_wrong_file_is_refused_with_all_its_problems(tmp_path: Path) -> None:
    """Each with its key, its value, what was expected and, where there is one, the nearest."""
    path = tmp_path / "wrong.toml"
    path.write_text(
        textwrap.dedent("""
        name = ""
        [transfer]
        rows = "many"
        tokens = 0
        [teacher]
        name = "T"
        layers = 2
        width = 100
        heads = 3
        vocabulary = 10
        [[stages]]
        name = "S"
        layers = 1
        width = 64
        heads = 2
        vocabulary = 10
        epochs = 1
        [cluster]
        machine = "h100-smx-80gb"
        devices = 8
        precision = "bf16"
        [serving]
        teacher = { machine = "t4", precision = "bf16" }
        student = { machine = "l4", precision = "fp16" }
        [economics]
        requests_per_dya = 10
        replicas = "1..2"
        """)
    )
    with pytest.raises(ConfigError) as caught:
        plan_scenario(path)
    problems = {problem.key: problem for problem in caught.value.problems}
    assert set(problems) == {
        "name", "transfer.rows", "transfer.tokens", "teacher.heads", "stages[0].batch", "cluster.machine",
        "serving.teacher.precision", "economics.requests_per_dya", "economics.requests_per_day",
        "economics.replicas",
    }  # fmt: skip
    assert problems["cluster.machine"].nearest == "h100-sxm-80gb"
    assert problems["economics.requests_per_dya"].nearest == "requests_per_day"
    assert str(path) in str(caught.value)


def test_no_stages_and_twins_are_refused(tmp_path: Path) -> None:
    """A chain needs at least one stage, and names that tell stages apart."""
    text = RECIPE.read_text(encoding="utf-8")
    path = tmp_path / "scenario.toml"
    path.write_text(text.replace("[[stages]]", "[[steps]]"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"at least one \[\[stages\]\]"):
        plan_scenario(path)
    path.write_text(text.replace('name = "100M"', 'name = "30M"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="a name that no other stage has"):
        plan_scenario(path)


def test_planning_loads_nothing_heavy() -> None:
    """No torch, transformers, scipy or pyarrow: it runs on the base install."""
    code = (
        "import sys; from pathlib import Path; from coffey.economics.scenario_plan import plan_scenario\n"
        f"plan_scenario(Path({str(RECIPE)!r}))\n"
        "print(sorted({'torch', 'transformers', 'scipy', 'pyarrow', 'duckdb'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_direct_jump_is_an_alternative_of_the_chain() -> None:
    """On the same draws, with the sums of its own plan; named with what could keep it from being one."""
    plan = planned()
    direct = plan["scenario"]["paths"]["direct"]
    (row,) = [row for row in plan["alternatives"] if row["name"] == "train the last student directly"]
    assert row["run_usd"] == pytest.approx(direct["run_usd"])
    assert row["break_even_days"] == pytest.approx(direct["break_even_days"])
    assert row["net_value"]["p10"] > plan["net_value"]["p10"]
    assert "to train the last student directly saves about as much, unless its quality" in plan["verdict"]
