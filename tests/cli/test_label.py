"""What the teacher could not label is told, and only where there is something to tell."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from coffey.cli import distill, label, tick


def shown(drawn) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(drawn)
    return file.getvalue()


@pytest.fixture
def labelled(untouched):
    return untouched.load().label()


def test_inputs_without_an_answer_are_told_by_label(labelled):
    """Beside the answers."""
    assert "usable answer" not in shown(label.draw(labelled))
    told = shown(label.draw(replace(labelled, skipped=1234)))
    assert "1,234 inputs that the teacher gave no usable answer to" in told


def test_they_are_told_by_distill(live):
    """Whose labelling is part of its result."""
    result = live.load().distill(report=False)
    left_out = replace(result, labelling=replace(result.labelling, skipped=3))
    assert "usable answer" not in shown(distill.draw(result))
    assert "3 inputs that the teacher gave no usable answer to" in shown(distill.draw(left_out))


def test_audits_without_an_answer_are_told_by_tick(untouched):
    """Those of this tick, and all of the champion's."""
    report = untouched.load().tick()
    assert "not audited" not in shown(tick.draw(report))
    told = shown(tick.draw(replace(report, skipped=2, unlabelled=7)))
    assert "2 now, 7 in all; the teacher gave no usable answer" in told
