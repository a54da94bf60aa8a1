"""With `control.approve` a winner waits for somebody, and nothing else is done meanwhile."""

from __future__ import annotations

import pytest

from coffey.control.audits import AuditLog
from coffey.control.journal import FINISHED, WAITING, ControlJournal
from coffey.core.records import DecisionKind
from coffey.registry.protocol import CHALLENGER, CHAMPION


@pytest.mark.slow
def test_a_winner_waits_until_somebody_promotes_it(drifted, tmp_path, monkeypatch):
    """Killed after it was registered and run again, it is judged once; promoting it starts a new watch."""
    project = drifted.copy(tmp_path / "approve")
    project.edit("[budget]", "[control]\napprove = true\n\n[budget]")
    old = project.load().models().aliases[CHAMPION]
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.redistill.keep_reference", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            project.load().tick()
    report = project.load().tick()
    made = report.redistilled
    assert made.decision.kind is DecisionKind.PROMOTE
    assert "waits for approval" in made.decision.reason
    aliases = project.load().models().aliases
    assert (aliases[CHAMPION], aliases[CHALLENGER]) == (old, made.challenger)
    journal = ControlJournal(project.store / "control" / "events")
    (finished,) = journal.entries(FINISHED)
    assert finished.body == {"version": made.challenger, "kind": WAITING}
    waiting = project.load().tick()
    assert waiting.decision.kind is DecisionKind.KEEP
    assert f"The challenger {made.challenger} waits for approval" in waiting.decision.reason
    assert project.load().promote(reason="approved").name == made.challenger
    assert project.load().tick().decision.kind is DecisionKind.WAITING
    assert len(AuditLog(project.store / "audits").all()) == 350


@pytest.mark.slow
def test_a_promotion_before_the_killed_tick_goes_on_is_no_abandonment(drifted, tmp_path, monkeypatch):
    """The run is ended as what it was, so that its lessons are kept for the next one."""
    project = drifted.copy(tmp_path / "between")
    project.edit("[budget]", "[control]\napprove = true\n\n[budget]")
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.redistill.keep_reference", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            project.load().tick()
    promoted = project.load().promote(reason="at once").name
    assert project.load().tick().redistilled.challenger == promoted
    (finished,) = ControlJournal(project.store / "control" / "events").entries(FINISHED)
    assert finished.body == {"version": promoted, "kind": WAITING}
    assert project.load().models().aliases[CHAMPION] == promoted
