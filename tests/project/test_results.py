"""What the Python API returns shows itself, draws itself, and is a table."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from coffey.control.tick import TickReport
from coffey.core.progress import Silent


def printed(value: object) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(value)
    return console.file.getvalue()


def test_a_plan_is_its_json_and_shows_its_verdict(untouched):
    """The keys of `--json`, in a few lines; drawn in a notebook; charts by their titles."""
    plan = untouched.load().plan()
    assert json.loads(json.dumps(plan))["verdict"] == plan["verdict"]
    assert repr(plan) == f"<PlanResult: {plan['verdict']}>"
    assert plan["verdict"][:60] in printed(plan)
    assert printed(plan).count("\n") < 15
    assert "<figure" in plan._repr_html_()
    assert plan.plot().title == "Net savings over time"
    assert plan.plot("Net savings over time").svg().startswith("<svg")
    names = [candidate["name"] for candidate in plan["frontier"]["candidates"]]
    assert plan.to_arrow()["name"].to_pylist() == names
    with pytest.raises(KeyError, match=r"no chart 'Nett'.*'Net savings over time'"):
        plan.plot("Nett")


@pytest.mark.slow
def test_a_distillation_has_a_row_for_every_student(live):
    """Stages and, where there are any, routes and controls; intervals in columns of their own."""
    result = live.load().distill()
    table = result.to_arrow()
    assert table["role"].to_pylist() == ["stage"]
    quality = result.stages[0].quality.agreement
    row = table.to_pylist()[0]
    assert (row["quality_agreement"], row["quality_agreement_low"]) == (quality.value, quality.low)
    assert "Gate" in printed(result)
    assert "it passed the gate" in repr(result)
    assert result.plot().title == "Quality against size"


def test_a_tick_shows_its_decision_and_draws_the_evidence(live):
    """It is still the report of the controller, with the same fields."""
    live.serve(live.known(40, seed=5))
    tick = live.load().tick()
    assert isinstance(tick, TickReport)
    assert tick.decision.reason.split(".")[0] in printed(tick)
    assert "Agreement over time" in tick.plots()
    assert len(tick.to_arrow()) == len(tick.agreement.series)


def test_a_tick_without_a_champion_says_what_to_do(untouched):
    """No chart, no row, and no error."""
    tick = untouched.load().tick()
    assert "coffey distill" in printed(tick)
    assert tick.plots() == {}
    assert tick.to_arrow().num_rows == 0
    with pytest.raises(KeyError, match="It has: none"):
        tick.plot()


def test_progress_is_drawn_where_somebody_watches(untouched, monkeypatch, capsys):
    """In a terminal or a notebook; a program elsewhere hears nothing; what the caller gives is used."""
    untouched.load().label()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("coffey.project.project.is_watched", lambda: True)
    watched = untouched.load()
    watched.label()
    assert "read: done" in capsys.readouterr().err
    given = Silent()
    assert untouched.load(progress=given).workspace.progress is given
