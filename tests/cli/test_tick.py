"""What a tick found out about students is told as people say it."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from coffey.cli import tick
from coffey.control.redistill import RedistillReport
from coffey.core.records import Decision, DecisionKind, Interval
from coffey.stats.paired_sequence import Comparison, Verdict


def shown(report) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(tick.draw(report))
    return file.getvalue()


def test_the_comparison_with_the_previous_champion_is_told(untouched):
    """Its gain, what it shows, and how few texts that took; nothing without one."""
    report = untouched.load().tick()
    assert "previous champion" not in shown(report)
    found = Comparison(Verdict.NOT_BETTER, 1200, 0.105, 48, 3, 40, Interval(-0.06, -0.1, -0.02))
    told = shown(replace(report, looked_back=found))
    assert "gain −0.060 (−0.100 to −0.020), not better; differs in 10.5 %" in told
    assert "of 1,200 requests, 48 asked" in told


def test_a_challenger_that_lost_has_no_fresh_agreement(untouched):
    """Nobody asked the teacher for that; of a winner both ends are told."""
    decision = Decision(DecisionKind.KEEP, "Keep the champion.")
    lost = RedistillReport("run", decision, "news-2", None, None, 60, 1.0)
    report = replace(untouched.load().tick(), redistilled=lost)
    assert "Keep the champion." in shown(report)
    assert "fresh agreement" not in shown(report)
    won = replace(lost, before=Interval(0.7, 0.65, 0.75), after=Interval(0.9, 0.87, 0.93))
    assert "fresh agreement" in shown(replace(report, redistilled=won))
