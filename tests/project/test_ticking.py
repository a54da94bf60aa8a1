"""A tick with the project's own parts."""

from __future__ import annotations

from coffey.core.progress import Silent
from coffey.core.records import DecisionKind
from coffey.project.ticking import control_journal, make_loop, tick_project


def test_the_loop_asks_the_projects_teacher_through_the_label_store(live):
    """Its places are in the store; its answers are kept."""
    space = live.load().workspace
    loop = make_loop(space)
    assert loop.store == live.store
    (text,) = live.known(1, seed=91)
    assert (loop.answer([text], Silent()).probabilities == space.teacher.predict([text])).all()
    loop.answer([text], Silent())
    assert live.asked() == [text, text], "once through the store, once directly"


def test_the_tools_know_what_the_champion_was_made_from(live):
    """Transfer set, holdout and their answers, from the label store; only the recheck is asked."""
    tools = make_loop(live.load().workspace).tools(Silent())
    assert len(tools.old.texts) == len(tools.old.keys) == len(tools.old.teacher) == len(tools.old.hard) == 400
    assert len(tools.old.holdout.texts) == 150
    assert tools.labels == ("billing", "delivery", "account")
    assert tools.teacher_params == 1_000_000
    assert len(live.asked()) == 16


def test_a_tick_journals_its_decision(live):
    """Reason and numbers can be read back."""
    live.serve(live.known(40, seed=92))
    space = live.load().workspace
    report = tick_project(space)
    (entry,) = control_journal(space).entries("decision")
    assert report.decision.kind is DecisionKind.HEALTHY
    assert entry.body["kind"] == "healthy"
    assert entry.body["reason"] == report.decision.reason
    assert entry.body["numbers"]["audits"] == 20
