"""`plan --pilot` on a project: what it foresees, what it asks, and that the next plan knows it."""

from __future__ import annotations

import pytest
from tests.conftest import make_project

from coffey.core.records import Origin
from coffey.project.piloting import Piloted


@pytest.mark.slow
def test_a_pilot_is_part_of_the_plan_and_of_the_next(tmp_path, key_home) -> None:
    """Its answers are bought once: of the transfer set for the trainings, of the holdout for the teacher."""
    project = make_project(tmp_path / "piloted", transfer=900, holdout=200)
    plan = project.load().plan(pilot=True)
    shipped = plan["pilot"][-1]
    row = plan["forecast"]["retention"]
    assert row["value"] == shipped["retention"]["value"]
    assert shipped["retention"]["low"] <= row["value"] <= shipped["retention"]["high"]
    asked = len(project.asked())
    assert asked == len(set(project.asked())) > 512
    assert plan["figures"]["teacher_texts_per_s"]["note"] == f"{asked:,} answers for the pilot"
    again = project.load().plan()
    assert again["pilot"] == plan["pilot"]
    assert again["figures"]["teacher_texts_per_s"] == plan["figures"]["teacher_texts_per_s"]
    assert len(project.asked()) == asked


def test_the_pace_of_few_answers_is_not_read() -> None:
    """A handful of batches say less of a teacher than a probe."""
    assert Piloted(asked=100, asked_s=1.0).pace is None
    assert Piloted(asked=4000, asked_s=0.0).pace is None
    pace = Piloted(asked=4000, asked_s=8.0).pace
    assert pace is not None
    assert (pace.value, pace.origin) == (500.0, Origin.MEASURED)
