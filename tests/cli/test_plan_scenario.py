"""A scenario's plan is drawn with both ways, all stages, both servers and every source."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from coffey.cli.plan_scenario import draw
from coffey.economics.scenario_plan import plan_scenario

RECIPE = Path(__file__).parents[2] / "recipes" / "one-billion.toml"


def test_people_see_what_the_json_says() -> None:
    """The verdict comes first; each job, server, figure of a machine and note is there."""
    value = cast("dict[str, Any]", plan_scenario(RECIPE))
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(draw(value))
    lines = console.export_text().splitlines()
    assert lines[0].strip() == value["verdict"]
    text = "\n".join(lines)
    scenario = value["scenario"]
    for path in scenario["paths"].values():
        assert all(job["name"] in text for job in path["stages"] + path["answers"])
    assert all(machine in text for machine in scenario["hardware"])
    assert all(note[:60] in text for note in value["notes"])
    assert "assumed" in text
