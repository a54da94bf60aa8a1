"""The demo's steps are done once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from coffey.core.progress import Silent
from coffey.project.demo.steps import Steps


@dataclass(frozen=True)
class Found:
    value: float


def test_a_finished_step_is_not_run_again(tmp_path):
    """Its result is read back as plain values, by another object too."""
    ran = []

    def run():
        ran.append(True)
        return Found(1.5)

    assert Steps(tmp_path, Silent()).once("plan", "Plan", run) == {"value": 1.5}
    assert Steps(tmp_path, Silent()).once("plan", "Plan", run) == {"value": 1.5}
    assert ran == [True]


def test_a_step_that_failed_is_not_finished(tmp_path):
    """It is run again."""
    steps = Steps(tmp_path, Silent())
    with pytest.raises(ZeroDivisionError):
        steps.once("plan", "Plan", lambda: 1 / 0)
    assert not steps.done("plan")
    assert steps.once("plan", "Plan", lambda: {"ok": True}) == {"ok": True}
    assert steps.done("plan")
