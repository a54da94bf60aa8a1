"""A re-distillation waits for what it is told to wait for, and says so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from coffey.control.fresh import Recent
from coffey.control.holding import held_back
from coffey.control.journal import FINISHED, WAITING, ControlJournal
from coffey.control.redistill import ABANDONED, FAILED, OPENED
from coffey.core.records import Decision, DecisionKind
from coffey.core.settings import ControlSettings
from coffey.registry.journal import JournalRegistry
from coffey.registry.protocol import CHALLENGER
from coffey.registry.version import Version

HOUR = 3600.0


@pytest.fixture
def registry(tmp_path):
    made = JournalRegistry(tmp_path / "registry")
    for name in ("one", "two"):
        made.add(Version(name, name * 8, f"artifacts/{name}"), who="test")
    made.promote("one", evidence={}, who="test")
    return made


@pytest.fixture
def journal(tmp_path):
    return ControlJournal(tmp_path / "events", now=lambda: 100 * HOUR)


def decided(
    journal, registry, *, audits=100, texts=60, now=200 * HOUR, kind=DecisionKind.REDISTILL, **control
):
    seen = SimpleNamespace(
        decision=Decision(kind, "It fell."),
        audits=[None] * audits,
        champion=SimpleNamespace(name="one"),
        recent=lambda: Recent({str(n): 1 for n in range(texts)}, []),
    )
    return held_back(
        seen, journal=journal, registry=registry, settings=ControlSettings(**control), now_unix_s=now
    )


def ended(journal, *, champion="one", audits=100, kind="keep"):
    journal.record(OPENED, {"champion": champion, "audits": audits}, key="run")
    journal.record(FINISHED, {"version": None, "kind": kind}, key=f"run/{FINISHED}")


def test_nothing_holds_back_what_is_due(journal, registry):
    """And other decisions are left alone, whatever waits."""
    assert decided(journal, registry).kind is DecisionKind.REDISTILL
    ended(journal)
    healthy = decided(journal, registry, kind=DecisionKind.HEALTHY, cooldown_hours=1e6)
    assert (healthy.kind, healthy.reason) == (DecisionKind.HEALTHY, "It fell.")


@pytest.mark.parametrize("kind", ["keep", FAILED, "promote", WAITING])
def test_a_try_that_came_to_nothing_waits_for_twice_the_audits(journal, registry, kind):
    """Lost, failed, or promoted and rolled back: its champion is champion all the same."""
    ended(journal, kind=kind)
    found = decided(journal, registry, audits=199)
    assert found.kind is DecisionKind.KEEP
    assert "the next is trained at 200 (there are 199)" in found.reason
    assert decided(journal, registry, audits=200).kind is DecisionKind.REDISTILL


def test_a_try_of_another_champion_does_not_count(journal, registry):
    """Nor does one that was given up."""
    ended(journal, champion="two")
    assert decided(journal, registry).kind is DecisionKind.REDISTILL


def test_a_try_that_was_given_up_does_not_count(journal, registry):
    """Its champion had been replaced meanwhile."""
    ended(journal, kind=ABANDONED)
    assert decided(journal, registry).kind is DecisionKind.REDISTILL


def test_the_cooldown_counts_from_the_end_of_the_last_one(journal, registry):
    """Whatever it came to."""
    ended(journal, champion="two", kind="promote")
    found = decided(journal, registry, cooldown_hours=24, now=110 * HOUR)
    assert found.kind is DecisionKind.KEEP
    assert "less than 24 hours ago: 14.0 to go" in found.reason
    assert decided(journal, registry, cooldown_hours=24, now=124 * HOUR).kind is DecisionKind.REDISTILL
    assert decided(journal, registry, now=100 * HOUR).kind is DecisionKind.REDISTILL


def test_while_a_challenger_waits_for_approval_no_other_is_made(journal, registry):
    """Only where approval is asked for."""
    registry.move({CHALLENGER: "two"}, expected={CHALLENGER: None}, evidence={}, who="test")
    found = decided(journal, registry, approve=True)
    assert found.kind is DecisionKind.KEEP
    assert "The challenger two waits for approval" in found.reason
    assert decided(journal, registry).kind is DecisionKind.REDISTILL


def test_too_few_texts_are_looked_into(journal, registry):
    """49 are too few, 50 are enough."""
    found = decided(journal, registry, texts=49)
    assert found.kind is DecisionKind.INVESTIGATE
    assert "(there are 49)" in found.reason
    assert decided(journal, registry, texts=50).kind is DecisionKind.REDISTILL
