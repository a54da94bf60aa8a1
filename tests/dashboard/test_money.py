"""The money section draws what a plan says: split costs, distribution, both tornados, every alternative."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coffey.core.ranges import Range
from coffey.dashboard.page import Drawing, Facts, Section, Table
from coffey.dashboard.reports import plan_report
from coffey.dashboard.sections.money import money_section
from coffey.economics.calculator import calculate
from coffey.economics.plan_json import plan_json

HORIZON = 365.0


def section(plan: Any) -> Section:
    found = money_section(json.loads(json.dumps(plan)))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def unsure() -> dict[str, Any]:
    return dict(plan_json(calculate(Range(4000, 6000), Range(0.005, 0.02), Range(8e6, 12e6))))


@pytest.fixture(scope="module")
def costs() -> dict[str, Any]:
    serving = {"usd_per_day": 40.0, "usd_per_1k": 0.004, "machines": 2, "note": ""}
    return {
        "teacher": {**serving, "usd_per_day": 140.0, "machines": None},
        "student": serving,
        "audits_usd_per_day": 0.5,
        "redistills_usd_per_day": 0.0,
        "storage_usd_per_day": 0.0,
        "errors_usd_per_day": 3.0,
        "run": {"teacher_usd": 10.0, "training_usd": 2.0, "controls_usd": 0.0, "people_usd": 100.0},
    }


def drawings(found: Section) -> str:
    return "".join(str(block.html) for block in found.blocks if isinstance(block, Drawing))


def table(found: Section, caption: str) -> Table:
    return next(block for block in found.blocks if isinstance(block, Table) and block.caption == caption)


def test_the_curve_has_its_band_and_both_tornados_are_drawn(unsure: dict[str, Any]) -> None:
    """The 80 % band, what the net value depends on, and what the break-even day depends on."""
    drawn = drawings(section(unsure))
    assert 'class="band' in drawn
    assert "The band holds 80 % of the draws" in drawn
    assert "What the net value depends on" in drawn
    assert "What the break-even day depends on" in drawn


def test_a_plan_without_ranges_has_no_band_and_no_chance() -> None:
    """What is certain is not drawn as if it were not."""
    found = section(plan_json(calculate(5000, 0.01, 10_000_000)))
    assert 'class="band' not in drawings(found)
    (facts,) = [block for block in found.blocks if isinstance(block, Facts)]
    assert [name for name, _ in facts.pairs] == [
        "pays from a traffic of",
        "pays, at this traffic, from a gap of",
    ]


def test_how_sure_the_answer_is_stands_beside_the_curve(unsure: dict[str, Any]) -> None:
    """Likely days and net value, the chance, and both thresholds."""
    (facts,) = [block for block in section(unsure).blocks if isinstance(block, Facts)]
    told = dict(facts.pairs)
    assert told["break-even, likely"] == "28 days to 88 days"
    assert told["chance that it does not pay within 365 days"] == "less than 1 %"
    assert len(told) == 6


def test_costs_are_split_and_zeros_are_left_out(unsure: dict[str, Any], costs: dict[str, Any]) -> None:
    """Once and a day in columns of their own; what costs nothing has no row."""
    rows = {row[0]: tuple(row[1:]) for row in table(section({**unsure, "costs": costs}), "Costs").rows}
    assert rows["people"] == ("$100", "", "", "")
    assert rows["student serving"] == ("", "$40.00", "$0.0040", "2")
    assert rows["teacher serving"][-1] == ""
    assert rows["errors"][1] == "$3.00"
    assert not {"control arms", "storage", "re-distillations"} & set(rows)


def test_the_student_stands_first_among_the_alternatives(
    unsure: dict[str, Any], costs: dict[str, Any]
) -> None:
    """On the same footing: cost, a day, break-even, net value and its likely range."""
    closed = {"name": "int8 the teacher", "run_usd": 0.0, "usd_per_day": None, "break_even_days": None,
              "savings_usd_over_horizon": None, "net_value": None, "note": "not open"}  # fmt: skip
    plan = {**unsure, "costs": costs, "alternatives": [*unsure["alternatives"], closed]}
    rows = table(section(plan), "Alternatives").rows
    assert [row[0] for row in rows] == ["distill", "do nothing", "int8 the teacher"]
    assert rows[0][3] == "50 days"
    assert set(rows[2][1:-1]) == {"–"}, "what is not open has no figure, not even a zero"


def test_every_figure_shows_its_range_and_origin(unsure: dict[str, Any]) -> None:
    """Value, ends, origin and key in one row; an exact figure has no ends."""
    rows = {row[0]: tuple(row) for row in table(section(unsure), "Where every figure comes from").rows}
    assert rows["requests per day"][2:] == ("8,000,000 to 12,000,000", "configured", "--requests-per-day")
    assert rows["horizon days"][2] == "–"


def test_bars_that_cannot_be_seen_are_left_to_the_table(unsure: dict[str, Any]) -> None:
    """A figure that moves the answer by next to nothing takes no room in the chart."""
    still = {**unsure["sensitivity"][0], "figure": "hardly_matters"}
    still |= {"net_usd_at_low": 30_000.0, "net_usd_at_high": 30_001.0}
    still |= {"break_even_days_at_low": 50.0, "break_even_days_at_high": 50.001}
    drawn = drawings(section({**unsure, "sensitivity": [*unsure["sensitivity"], still]}))
    assert "hardly matters" not in drawn
    assert "saves USD per 1k" in drawn


@pytest.mark.parametrize(
    ("never", "shown"), [(0.0, "more than 99 %"), (0.047, "95 %"), (1.0, "less than 1 %")]
)
def test_a_chance_is_never_called_certain(unsure: dict[str, Any], never: float, shown: str) -> None:
    """A thousand draws do not show that something cannot happen."""
    page = plan_report({**unsure, "never_probability": never})
    assert "Chance that it pays" in page
    assert shown in page


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (33.0, 58.0, "33 to 58 days"),
        (0.0001, 0.0002, "under a minute"),
        (0.0001, 3.0, "under a minute to 3 days"),
        (9.0, None, "9 days to never"),
        (1.0, 1.0, "1 day"),
    ],
)
def test_the_likely_range_names_its_unit_once(
    unsure: dict[str, Any], low: float, high: float | None, shown: str
) -> None:
    """And only where both ends share it."""
    page = plan_report({**unsure, "break_even": {"p10": low, "p50": low, "p90": high}})
    assert f">{shown}<" in page
