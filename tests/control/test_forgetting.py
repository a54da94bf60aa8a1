"""Texts of served requests end with the retention time, wherever they were kept, and with redaction."""

from __future__ import annotations

import json

import numpy as np
import pytest

from coffey.control.audits import AuditLog, Collected, Unlabelled, collect_audits
from coffey.control.journal import FINISHED, ControlJournal
from coffey.control.redistill import forget_samples
from coffey.core.clock import unix_now
from coffey.core.records import DecisionKind, TrafficRecord
from coffey.teacher.known import KnownAnswers
from coffey.traffic.query import read_traffic
from coffey.traffic.redaction import DROPPED, is_redacted


def first_label(texts):
    return KnownAnswers(np.ones(len(texts), np.bool_), np.eye(2, dtype=np.float32)[[0] * len(texts)])


def fill(folder, served):
    log = AuditLog(folder)
    for part in (served[:3], served[3:]):
        collect_audits(part, log, answer=first_label, labels="ab", teacher="t")
    return log


@pytest.fixture
def served():
    return [
        TrafficRecord(f"r{n}", float(n), "m", f"secret {n}", "a", 0.9, 1.0, audit=True, audit_probability=0.5)
        for n in range(6)
    ]


def test_old_texts_go_and_nothing_else(tmp_path, served):
    """A file that holds old and new ones keeps the new; every other field stays."""
    log = fill(tmp_path, served)
    log.append([], [Unlabelled(id="r9", model="m", unix_s=1.0, teacher="t")])
    before = list(log.all())
    assert log.forget_texts(4.0) == 4
    for found in (list(log.all()), list(AuditLog(tmp_path).all())):
        assert [audit.text for audit in found] == [DROPPED] * 4 + ["secret 4", "secret 5"]
        assert [(a.id, a.key, a.agree) for a in found] == [(a.id, a.key, a.agree) for a in before]
    assert log.forget_texts(4.0) == 0
    assert AuditLog(tmp_path).settled() == {one.id for one in served} | {"r9"}
    assert collect_audits(served, log, answer=None, labels=("a", "b"), teacher="t") == Collected()


def test_samples_of_finished_runs_go(tmp_path):
    """One that is at work keeps its sample, however old."""
    journal = ControlJournal(tmp_path / "events", now=lambda: 5.0)
    for run in ("done", "open"):
        path = tmp_path / "control" / "redistill" / run / "sample.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"learn": ["secret"], "judge": ["secret"], "counts": [1]}))
        journal.record("sampled", {"learn": 1, "judge": 1}, key=f"{run}/sampled")
    journal.record(FINISHED, {"version": None, "kind": "failed"}, key=f"done/{FINISHED}")
    assert forget_samples(tmp_path, journal, 5.0) == 0
    assert forget_samples(tmp_path, journal, 6.0) == 1
    assert forget_samples(tmp_path, journal, 6.0) == 0
    folder = tmp_path / "control" / "redistill"
    assert json.loads((folder / "done" / "sample.json").read_text())["learn"] == []
    assert "secret" in (folder / "open" / "sample.json").read_text()


@pytest.mark.parametrize("rule", ["hash", "drop"])
def test_with_redaction_audits_work_and_no_text_stays(live, rule):
    """The teacher is asked once; then neither the log nor the audits hold a text, and agreement is known."""
    live.edit("[budget]", f'[privacy]\ntext = "{rule}"\n\n[budget]')
    texts = live.known(60, seed=61)
    live.serve(texts)
    report = live.load().tick()
    assert (report.audited, report.agreement.audits) == (30, 30)
    assert report.decision.kind is DecisionKind.HEALTHY
    kept = read_traffic(live.store)
    assert len(kept) == 60
    assert all(is_redacted(record.text) for record in kept), "of a server that did not redact, too"
    assert all(is_redacted(audit.text) for audit in AuditLog(live.store / "audits").all())
    assert live.load().tick().audited == 0
    assert len(live.asked()) == 30


def test_with_redaction_a_drop_is_investigated_not_mended(live):
    """There is no text to learn from; the reason says so."""
    live.edit("[budget]", '[privacy]\ntext = "drop"\n\n[budget]')
    live.serve(live.new(300, seed=62), audit_every=1)
    assert live.load().tick().alarm
    report = live.load().tick()
    assert report.decision.kind is DecisionKind.INVESTIGATE
    assert "whose texts were kept (there are 0)" in report.decision.reason
    assert report.redistilled is None


def test_the_retention_time_ends_texts_in_audits(live, monkeypatch):
    """After it a tick drops them; the agreement is the same as before."""
    live.serve(live.known(40, seed=63))
    before = live.load().tick()
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.tick.unix_now", lambda: unix_now() + 31 * 86_400)
        after = live.load().tick()
    assert {audit.text for audit in AuditLog(live.store / "audits").all()} == {DROPPED}
    assert after.agreement == before.agreement


def test_a_tick_killed_before_it_redacted_is_made_good(live, monkeypatch):
    """The next one redacts, and asks nothing again."""
    live.edit("[budget]", '[privacy]\ntext = "drop"\n\n[budget]')
    live.serve(live.known(20, seed=64))
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.tick.redact_settled", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            live.load().tick()
    assert sum(record.text != DROPPED for record in read_traffic(live.store)) == 10
    assert live.load().tick().audited == 0
    assert {record.text for record in read_traffic(live.store)} == {DROPPED}
    assert len(live.asked()) == 10


def test_requests_of_a_replaced_model_are_redacted_unasked(live):
    """Nobody will ask about them."""
    live.serve(live.known(20, seed=65))
    live.edit("[budget]", '[privacy]\ntext = "drop"\n\n[budget]')
    registry = live.load().workspace.registry
    first = registry.resolve("champion")
    other = type(first)("by-hand", "0" * 64, first.artifact, first.student, first.contract)
    registry.add(other, who="someone")
    registry.promote("by-hand", evidence={}, who="someone")
    live.load().tick()
    assert {record.text for record in read_traffic(live.store)} == {DROPPED}
    assert live.asked() == []
