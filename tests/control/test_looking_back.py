"""A promotion that was a mistake is taken back, on evidence, and only then."""

from __future__ import annotations

import pytest

from coffey.control.evidence import champion_since
from coffey.control.journal import DECISION, ControlJournal
from coffey.control.looking_back import COMPARED
from coffey.core.progress import Silent
from coffey.core.records import DecisionKind
from coffey.project.ticking import make_loop
from coffey.registry.protocol import CHAMPION, PREVIOUS
from coffey.registry.version import Version
from coffey.stats.paired_sequence import Verdict

DAY = 86_400.0
MISTAKE = "a-mistake"


def look(project, *, days=30.0):
    """What a look so long after the promotion comes to."""
    space = project.load().workspace
    champion = space.registry.resolve(CHAMPION)
    since = champion_since(space.registry, champion)
    back = make_loop(space).look_back(Silent())
    return back.go_on(champion, since, since + days * DAY)


def allowed(project, *, days):
    """Texts that the teacher may be asked about so long after the promotion."""
    space = project.load().workspace
    champion = space.registry.resolve(CHAMPION)
    since = champion_since(space.registry, champion)
    return make_loop(space).look_back(Silent()).allowed(champion, since, since + days * DAY)


def journal(project):
    return ControlJournal(project.store / "control" / "events")


@pytest.fixture
def mistaken(mended, tmp_path):
    """The student that knows the new words was replaced by one that does not, as if re-distilled from it."""
    project = mended.project.copy(tmp_path / "mistaken")
    registry = project.load().workspace.registry
    good, bad = registry.resolve(CHAMPION), registry.resolve(PREVIOUS)
    lineage = {**bad.lineage, "previous": good.digest}
    worse = Version(MISTAKE, bad.digest, bad.artifact, bad.student, bad.contract, lineage)
    registry.add(worse, who="test")
    registry.promote(worse.name, evidence={}, who="test")
    project.serve(project.new(300, seed=41))
    return project


def test_the_previous_champion_comes_back_where_it_proves_better(mistaken):
    """With its evidence in the journal and the registry, and few teacher calls."""
    before, good = len(mistaken.asked()), mistaken.load().models().aliases[PREVIOUS]
    found = look(mistaken)
    assert found.decision.kind is DecisionKind.ROLLBACK
    assert found.comparison.verdict is Verdict.BETTER
    assert found.comparison.gain.low > 0
    assert len(mistaken.asked()) - before <= found.comparison.asked < 60
    registry = mistaken.load().workspace.registry
    assert (registry.alias(CHAMPION), registry.alias(PREVIOUS)) == (good, MISTAKE)
    last = registry.events()[-1]
    assert (last.kind, last.who, last.evidence["reason"]) == ("rollback", "tick", found.decision.reason)
    assert last.evidence["numbers"]["won"] == found.comparison.won
    assert journal(mistaken).last(DECISION).body["kind"] == "rollback"


def test_with_approval_it_waits_for_somebody(mistaken):
    """It is decided and journaled once, said at every look, and nothing moves."""
    mistaken.edit("[budget]", "[control]\napprove = true\n\n[budget]")
    first, entries = look(mistaken), len(journal(mistaken).entries())
    again = look(mistaken)
    assert first.decision == again.decision
    assert first.decision.reason.endswith("it waits for approval, `coffey rollback`.")
    assert len(journal(mistaken).entries()) == entries
    assert mistaken.load().models().aliases[CHAMPION] == MISTAKE


def test_killed_before_the_move_it_is_moved_by_the_next_look(mistaken, monkeypatch):
    """Nothing is asked twice, and it is decided once."""
    with monkeypatch.context() as patch:
        patch.setattr("coffey.registry.journal.JournalRegistry.move", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            look(mistaken)
    asked = len(mistaken.asked())
    assert look(mistaken).decision.kind is DecisionKind.ROLLBACK
    assert len(mistaken.asked()) == asked
    decisions = [entry.body["kind"] for entry in journal(mistaken).entries(DECISION)]
    assert decisions.count("rollback") == 1
    assert mistaken.load().models().aliases[PREVIOUS] == MISTAKE


def test_a_tick_rolls_back_instead_of_re_distilling(mistaken):
    """The alarm would ask for that; the student that mends it is there already."""
    mistaken.edit("audits_per_day = 100", "audits_per_day = 1e12")
    report = mistaken.load().tick()
    assert report.decision.kind is DecisionKind.ROLLBACK
    assert report.looked_back.verdict is Verdict.BETTER
    assert (report.champion, report.redistilled) == (MISTAKE, None)
    assert mistaken.load().models().aliases[PREVIOUS] == MISTAKE


@pytest.fixture
def right(mended, tmp_path):
    """The promotion was right: the traffic has the new words."""
    project = mended.project.copy(tmp_path / "right")
    project.serve(project.new(300, seed=42))
    return project


def test_a_promotion_that_was_right_stays_and_the_asking_ends(right):
    """The one before is shown to be no better; after that nobody is asked."""
    found = look(right)
    assert (found.decision, found.comparison.verdict) == (None, Verdict.NOT_BETTER)
    asked, entries = len(right.asked()), len(journal(right).entries(COMPARED))
    assert allowed(right, days=60) == 0
    assert look(right, days=60).comparison == found.comparison
    assert (len(right.asked()), len(journal(right).entries(COMPARED))) == (asked, entries)


def test_the_teacher_is_asked_as_often_as_for_audits(right):
    """100 audits a day: none at once, a day's worth after a day, and never more than the comparison takes."""
    assert [allowed(right, days=days) for days in (0.0, 0.05, 1.0, 100.0)] == [0, 0, 100, 800]


def test_only_a_re_distillation_is_looked_back_on(distilled, mended):
    """What people put in its place is theirs; without a previous champion there is nothing to compare."""
    assert look(distilled) is None
    assert allowed(distilled, days=30) == 0
    space = mended.project.load().workspace
    champion = space.registry.resolve(PREVIOUS)
    assert make_loop(space).look_back(Silent()).previous_of(champion) is None
