"""A tick does what is due, once: killed anywhere and run again, nothing is lost or done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coffey.artifact.predictor import Predictor
from coffey.control.alerts import ALERTED
from coffey.control.audits import AuditLog
from coffey.control.dry_run import dry_run
from coffey.control.history import average_run_length
from coffey.control.journal import ControlJournal
from coffey.control.redistill import OPENED
from coffey.control.tick import tick
from coffey.core.errors import AliasMoved, LeaseHeld, StageInputsChanged
from coffey.core.progress import Silent
from coffey.core.records import DecisionKind
from coffey.project.ticking import make_loop
from coffey.registry.protocol import CHALLENGER, CHAMPION, PREVIOUS
from coffey.teacher.known import KnownAnswers
from coffey.traffic.selection import select

SCRIPT = Path(__file__).with_name("killed_ticks.py")
SOURCE = Path(sys.modules["coffey"].__file__).parents[1]


def journal(project):
    return ControlJournal(project.store / "control" / "events")


def audits(project):
    return AuditLog(project.store / "audits").all()


def state(project):
    """Everything that a tick leaves behind, as names of files."""
    return sorted(str(path.relative_to(project.store)) for path in project.store.rglob("*.json"))


class At(Silent):
    """Progress that does something once, when a line or task with `word` is told."""

    def __init__(self, word, act):
        self._word, self._act, self.done = word, act, False

    def say(self, line):
        self._look(line)

    def start(self, task, total, unit):
        self._look(task)

    def _look(self, line):
        if self._word in line and not self.done:
            self.done = True
            self._act()


def test_without_a_champion_there_is_nothing_to_watch(untouched):
    """The tick says so and asks the teacher nothing; it does not even load it."""
    (untouched.folder / "small_teacher.py").write_text("raise RuntimeError('loaded')")
    report = untouched.load().tick()
    assert report.decision.kind is DecisionKind.WAITING
    assert "coffey distill" in report.decision.reason
    assert (report.champion, report.audited, report.requests, report.alarm) == (None, 0, 0, False)


def test_traffic_like_the_holdout_is_healthy_and_asked_once(live):
    """Every second request is audited; a second tick asks nothing and decides nothing new."""
    texts = live.known(200, seed=11)
    live.serve(texts)
    first = live.load().tick()
    assert first.decision.kind is DecisionKind.HEALTHY
    assert (first.audited, first.requests, first.alarm) == (100, 200, False)
    assert first.agreement.audits == 100
    assert first.drift is not None
    assert sorted(live.asked()) == sorted(texts[::2])
    before = state(live)
    second = live.load().tick()
    assert second.decision == first.decision
    assert second.audited == 0
    assert sorted(live.asked()) == sorted(texts[::2])
    assert state(live) == before


def test_aimed_audits_are_taken_with_the_requests_between_them(live):
    """Each request up to the last audit is counted once, over several ticks, and the loop stays calm."""
    for seed in (12, 13):
        live.serve(live.known(150, seed=seed), aimed=True)
        report = live.load().tick()
    assert report.decision.kind is DecisionKind.HEALTHY
    assert report.agreement.aimed == report.agreement.audits
    kept = AuditLog(live.store / "audits").all()
    served = select(live.store).records()
    last = max(audit.unix_s for audit in kept)
    up_to_last = sum(record.unix_s <= last for record in served)
    assert sum(sum(audit.passed) for audit in kept) + len(kept) == pytest.approx(up_to_last)
    assert len({audit.probability for audit in kept}) > 1


def test_audits_know_where_their_texts_belong(mended):
    """Tokens and clusters are kept with each audit, and the tick says which requests the drop comes from."""
    kept = audits(mended.project)
    assert all(one.tokens and one.cluster is not None for one in kept)
    slices = mended.report.slices
    assert slices.examined == 3 + 4 + 13
    assert slices.found
    assert slices.found[0].log_evidence == max(one.log_evidence for one in slices.found)
    assert slices.drop.low > 0.05
    assert slices.sentence in mended.report.decision.reason


def skipping(project, skipped):
    """The project's loop, its teacher having been told to skip some texts."""
    space = project.load().workspace
    loop = make_loop(space)

    def answer(texts, progress):
        known = np.array([text not in skipped for text in texts], np.bool_)
        return KnownAnswers(known, space.answer([text for text in texts if text not in skipped]))

    def tools(progress):
        return replace(loop.tools(progress), answer=lambda texts: answer(texts, progress))

    return replace(loop, answer=answer, tools=tools)


def test_audits_that_the_teacher_cannot_label_are_counted_and_never_asked_again(live):
    """The others are judged as ever; the next tick finds nothing to ask, and neither does a dry run."""
    texts = live.known(200, seed=11)
    live.serve(texts)
    loop = skipping(live, set(texts[::20]))
    first = tick(loop, Silent())
    assert (first.audited, first.skipped, first.unlabelled) == (90, 10, 10)
    assert (first.decision.kind, first.agreement.audits) == (DecisionKind.HEALTHY, 90)
    before = state(live)
    second = tick(replace(loop, answer=None), Silent())
    assert (second.audited, second.skipped, second.unlabelled) == (0, 0, 10)
    assert state(live) == before
    dry = dry_run(replace(loop, answer=None))
    assert dry.report.unlabelled == 10
    assert not any("audited requests" in step for step in dry.would)


@pytest.mark.slow
def test_a_redistillation_goes_on_without_what_the_teacher_cannot_label(drifted, tmp_path):
    """Neither learned from nor judged by; what is left of the sample is."""
    project = drifted.copy(tmp_path / "skipping")
    skipped = set(project.new(500, seed=6)[::5])
    report = tick(skipping(project, skipped), Silent())
    assert report.skipped > 0
    (path,) = project.store.glob("control/redistill/*/sample.json")
    kept = json.loads(path.read_bytes())
    drawn = {*kept["learn"], *kept["judge"][:160]}
    assert drawn & skipped
    assert report.redistilled.labelled == len(drawn - skipped)
    assert report.redistilled.decision.kind is DecisionKind.PROMOTE
    assert not set(project.asked()) & skipped


def test_an_unaudited_champion_waits(live):
    """Traffic without an audit is no evidence."""
    live.serve(live.known(20, seed=12)[1:2], audit_every=2)
    report = live.load().tick()
    assert report.audited == 1, "the first of every two is chosen"
    assert live.load().tick().decision.kind is DecisionKind.HEALTHY


def test_drift_raises_the_alarm_and_is_mended(mended, drifted):
    """Alarm, re-distillation, promotion: the new student is better on texts that neither learned."""
    report, registry = mended.report, mended.project.load().workspace.registry
    old = drifted.load().workspace.registry.resolve(CHAMPION)
    assert report.decision.kind is DecisionKind.REDISTILL
    assert report.alarm
    assert report.champion == old.name
    assert report.decision.numbers["drop"] > 0.4
    assert "unknown" in report.drift.sentence
    assert report.redistilled.decision.kind is DecisionKind.PROMOTE
    assert report.redistilled.after.low > report.redistilled.before.high
    assert report.redistilled.comparison.gain.low > 0
    assert 0 < report.redistilled.comparison.asked < report.redistilled.labelled / 4
    assert registry.alias(CHAMPION) == report.redistilled.challenger
    assert registry.alias(PREVIOUS) == old.name
    assert registry.alias(CHALLENGER) is None
    assert [event.who for event in registry.events() if event.kind == "promote"] == ["python", "tick"]


def test_the_new_promise_is_measured_on_fresh_audits(mended):
    """The contract is the agreement on recent requests that the challenger did not learn from."""
    project, found = mended.project, mended.report.redistilled
    contract = project.load().workspace.registry.resolve(CHAMPION).contract
    (sampled,) = journal(project).entries("sampled")
    assert contract.agreement == found.after
    assert contract.measured_on == "fresh audits"
    assert contract.examples == 0.4 * 400, "monitor.fresh_share of monitor.relabel"
    assert found.labelled == contract.examples + sampled.body["learn"]


def test_what_was_paid_for_is_asked_once(mended):
    """Audits and the sample of a re-distillation overlap; the teacher heard each recent text once at most."""
    heard = Counter(mended.project.asked())
    recent = set(mended.project.new(500, seed=6))
    assert max(heard[text] for text in recent) == 1
    assert sum(heard[text] for text in recent) > 250


def test_the_tick_after_a_promotion_starts_anew(mended, tmp_path):
    """The new champion has no audit yet: nothing is decided, nothing is asked, nothing is moved."""
    project = mended.project.copy(tmp_path / "again")
    before = state(project)
    report = project.load().tick()
    assert report.decision.kind is DecisionKind.WAITING
    assert (report.audited, report.requests, report.redistilled) == (0, 0, None)
    assert project.asked() == []
    assert [name for name in state(project) if name not in before] == [
        name for name in state(project) if name.startswith("control/events/") and name not in before
    ]
    project.serve(project.new(100, seed=21))
    healthy = project.load().tick()
    assert healthy.decision.kind is DecisionKind.HEALTHY
    assert healthy.audited == 50


def test_a_rollback_is_immediate_and_starts_the_evidence_anew(mended, tmp_path):
    """The old champion is back at once; the audits that condemned it do not count against it again."""
    project = mended.project.copy(tmp_path / "back")
    new, old = (project.load().workspace.registry.alias(name) for name in (CHAMPION, PREVIOUS))
    assert project.load().rollback(reason="a test").name == old
    aliases = project.load().models().aliases
    assert (aliases[CHAMPION], aliases[PREVIOUS]) == (old, new)
    assert project.load().tick().decision.kind is DecisionKind.WAITING
    project.serve(project.known(60, seed=22))
    report = project.load().tick()
    assert report.decision.kind is DecisionKind.HEALTHY
    assert (report.champion, report.agreement.audits, report.requests) == (old, 30, 60)
    digest = project.load().workspace.registry.resolve(old).digest
    assert sum(audit.model == digest for audit in audits(project)) == 100 + 250 + 30


def test_two_ticks_at_once_are_one(live):
    """While one works the other is refused, told who is at it; the first ends well."""
    refused = []

    def tick_too():
        with pytest.raises(LeaseHeld) as caught:
            live.load().tick()
        refused.append(str(caught.value))

    live.serve(live.known(10, seed=13))
    report = live.load(progress=At("Loading the teacher", tick_too)).tick()
    assert report.audited == 5
    (message,) = refused
    assert message.startswith(f"tick is being done by tick (process {os.getpid()} on ")
    assert live.load().tick().audited == 0


class Watching(Silent):
    """Progress that looks at the lease whenever work advances."""

    def __init__(self, look):
        self._look = look

    def advance(self, task, amount=1, note=""):
        self._look()


def test_the_lease_is_renewed_while_work_goes_on(live, monkeypatch):
    """Each batch that the teacher answers renews it; else another tick could take over long work."""
    monkeypatch.setattr("coffey.control.tick._RENEW_S", -1.0)
    path, seen = live.store / "control" / "tick.lease", []
    live.edit("threads = 1\ncost", "threads = 1\nbatch_size = 2\ncost")
    live.serve(live.known(20, seed=14))
    look = Watching(lambda: seen.append(json.loads(path.read_text())["renewed_unix_s"]))
    live.load(progress=look).tick()
    assert len(seen) >= 5
    assert seen == sorted(set(seen)), "a later time at every look"
    assert not path.exists()


def test_a_tick_whose_lease_was_taken_over_stops(live, monkeypatch):
    """After its lease expired and another took it, the first writes no audit and leaves the lease alone."""
    monkeypatch.setattr("coffey.control.tick._RENEW_S", -1.0)
    path = live.store / "control" / "tick.lease"

    def take_over():
        path.write_text(json.dumps(json.loads(path.read_text()) | {"id": "other", "who": "another tick"}))

    live.serve(live.known(20, seed=15))
    with pytest.raises(LeaseHeld, match="another tick"):
        live.load(progress=At("label", take_over)).tick()
    assert list(audits(live)) == []
    assert json.loads(path.read_text())["id"] == "other"
    path.unlink()
    assert live.load().tick().audited == 10
    assert len(live.asked()) == 10, "what was answered before the take-over was kept"


@pytest.mark.slow
def test_a_challenger_that_does_not_win_changes_nothing(drifted, tmp_path):
    """KEEP: the champion stays, the challenger has no alias, and the same evidence waits."""
    project = drifted.copy(tmp_path / "lost")
    project.edit("learning_rate = 1e-2", "learning_rate = 1e-9")
    before = project.load().models().aliases
    report = project.load().tick()
    assert report.redistilled.decision.kind is DecisionKind.KEEP
    models = project.load().models()
    assert models.aliases == before
    assert [version.name for version in models.versions][-1] == report.redistilled.challenger
    again = project.load().tick()
    assert again.decision.kind is DecisionKind.KEEP
    assert "A challenger lost at 350 audits; the next is trained at 700" in again.decision.reason
    assert again.redistilled is None
    assert len(journal(project).entries(OPENED)) == 1
    project.serve(project.new(800, seed=31))
    assert project.load().tick().redistilled is not None


@pytest.mark.slow
def test_a_champion_that_was_replaced_meanwhile_is_not_replaced_again(drifted, tmp_path):
    """AliasMoved: nothing is moved; the next tick gives it up and watches the new champion."""
    project = drifted.copy(tmp_path / "moved")
    registry = project.load().workspace.registry
    first = registry.resolve(CHAMPION)

    def promote_another():
        other = type(first)("by-hand", "0" * 64, first.artifact, first.student, first.contract)
        registry.add(other, who="someone")
        registry.promote("by-hand", evidence={}, who="someone")

    with pytest.raises(AliasMoved, match="by-hand"):
        project.load(progress=At("redistilled", promote_another)).tick()
    assert registry.alias(CHAMPION) == "by-hand"
    registry.rollback(who="someone", reason="so that the next tick has a real artifact")
    registry.promote("by-hand", evidence={}, who="someone")
    said = []
    report = project.load(progress=At("given up", lambda: said.append(True))).tick()
    assert said == [True]
    assert (report.champion, report.redistilled) == ("by-hand", None)
    assert registry.alias(CHAMPION) == "by-hand"


@pytest.mark.slow
def test_a_rollback_by_hand_is_not_undone(drifted, tmp_path, monkeypatch):
    """A tick that died right after it promoted is ended by the next one, which does not promote again."""
    project = drifted.copy(tmp_path / "undone")
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.redistill.keep_reference", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            project.load().tick()
    old = project.load().rollback().name
    report = project.load().tick()
    assert report.redistilled.decision.kind is DecisionKind.PROMOTE
    assert project.load().models().aliases[CHAMPION] == old
    assert [event.kind for event in project.load().models().events][-2:] == ["promote", "rollback"]


@pytest.mark.slow
def test_too_few_distinct_requests_wait_for_more(live):
    """One text over and over is an alarm that cannot be learned from yet; later traffic is."""
    wrong = [text for text in live.new(20, seed=41) if not agreed(live, text)]
    live.serve(wrong[:1] * 120)
    report = live.load().tick()
    assert report.alarm
    assert report.decision.kind is DecisionKind.INVESTIGATE
    assert (
        "waits for 50 distinct requests since the change whose texts were kept (there are 1)"
        in report.decision.reason
    )
    assert journal(live).entries(OPENED) == ()
    live.serve(live.new(200, seed=42))
    assert live.load().tick().redistilled is not None


def agreed(project, text):
    """Whether champion and teacher say the same."""
    space = project.load().workspace
    predictor = Predictor.load(project.store / space.registry.resolve(CHAMPION).artifact, trust=space.trust)
    return predictor.predict([text]).argmax() == space.teacher.predict([text]).argmax()


def kill_at_every_step(project, moment):
    """How many ticks were killed before one came to its end."""
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), str(project.config), moment],
        env=os.environ | {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def challenger_weights(project):
    registry = project.load().workspace.registry
    student = project.store / registry.resolve(CHAMPION).student
    return (student / "student.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_tick_killed_at_every_step_ends_like_an_undisturbed_one(drifted, mended, tmp_path, moment):
    """SIGKILL before (after) each event of journal, registry, audits: the same student, promoted once."""
    project = drifted.copy(tmp_path / "killed")
    assert kill_at_every_step(project, moment) >= 11, "audits, decision, eight steps, the registry's events"
    after, whole = project.load().models(), mended.project.load().models()
    assert [event.kind for event in after.events].count("promote") == 2, "the first by hand, one by a tick"
    assert len(after.versions) == len(whole.versions) == 2
    assert after.versions[-1].contract == whole.versions[-1].contract
    assert after.aliases[CHAMPION] == after.versions[-1].name
    assert CHALLENGER not in after.aliases
    assert challenger_weights(project) == challenger_weights(mended.project)
    assert [audit.id for audit in audits(project)] == [audit.id for audit in audits(mended.project)]
    steps = [entry.key for entry in journal(project).entries() if entry.kind != "decision"]
    assert len(steps) == len(set(steps))
    assert [entry.kind for entry in journal(project).entries()][: len(journal(mended.project).entries())] == [
        entry.kind for entry in journal(mended.project).entries()
    ]
    heard = Counter(project.asked())
    assert max(heard[text] for text in project.new(500, seed=6)) == 1


@pytest.mark.slow
def test_alerts_of_killed_ticks_are_told_once_each(drifted, tmp_path):
    """A kill between sending and the journal sends again, with the same id; nothing is left untold."""
    project, heard = drifted.copy(tmp_path / "alerts"), tmp_path / "heard.jsonl"
    code = f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read() + chr(10))"
    project.edit("[budget]", f"[alerts]\ncommand = {json.dumps([sys.executable, '-c', code])}\n\n[budget]")
    assert kill_at_every_step(project, "before") >= 13
    alerts = [json.loads(line) for line in heard.read_text().splitlines()]
    assert list(dict.fromkeys(alert["kind"] for alert in alerts)) == ["redistill", "promote"]
    ids = {alert["id"] for alert in alerts}
    assert len(ids) == 2
    assert [entry.body["alert"] for entry in journal(project).entries(ALERTED)] == [
        *dict.fromkeys(alert["id"] for alert in alerts)
    ]


def test_the_promise_in_days_is_a_number_of_audits(live):
    """100 audits a day, a false alarm in 10 days: 1,000 audits."""
    assert average_run_length(live.load().settings) == 1000


@pytest.mark.slow
def test_a_tick_that_ends_an_earlier_one_reports_what_that_one_saw(drifted, tmp_path, monkeypatch):
    """The alarm, the agreement and the decision of the champion that was mended."""
    project = drifted.copy(tmp_path / "resumed")
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.redistill.make_candidate", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            project.load().tick()
    report = project.load().tick()
    assert report.alarm
    assert report.agreement.audits == 350
    assert report.decision.kind is DecisionKind.REDISTILL
    assert report.redistilled.decision.kind is DecisionKind.PROMOTE


@pytest.mark.slow
def test_a_run_whose_inputs_changed_does_not_block_later_ticks(drifted, tmp_path, monkeypatch):
    """It is said once; the next tick audits and decides again, and tries anew at twice the audits."""
    project = drifted.copy(tmp_path / "changed")
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.redistill.make_candidate", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            project.load().tick()
    project.edit("redistill_epochs = 12", "redistill_epochs = 10")
    with pytest.raises(StageInputsChanged):
        project.load().tick()
    assert project.load().tick().decision.kind is DecisionKind.KEEP
    project.serve(project.new(800, seed=31))
    assert project.load().tick().redistilled is not None
