"""A dry run says what a tick would do, and changes nothing at all."""

from __future__ import annotations

import json

import pytest

from coffey.cli.app import app
from coffey.cli.output import guarded
from coffey.core.records import DecisionKind
from coffey.project.ticking import dry_tick


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_names_each_step_and_does_none(live):
    """Compaction and the questions that wait; then, after the tick, nothing more."""
    live.serve(live.known(40, seed=71))
    before = contents(live.folder)
    found = dry_tick(live.load().workspace)
    assert [step.split()[0] for step in found.would] == ["Compact", "Ask"]
    assert "20 audited requests" in found.would[1]
    assert (found.report.requests, found.report.audited) == (40, 0)
    assert found.report.decision.kind is DecisionKind.WAITING
    assert contents(live.folder) == before
    ticked = live.load().tick()
    after = dry_tick(live.load().workspace)
    assert after.would == ()
    assert after.report.decision == ticked.decision


def test_without_a_champion_it_says_so(untouched):
    """And makes no store."""
    found = dry_tick(untouched.load().workspace)
    assert (found.report.decision.kind, found.would) == (DecisionKind.WAITING, ())
    assert not untouched.store.exists()


def test_the_command_prints_it(live, capsys):
    """The keys of a tick, and `would`."""
    live.serve(live.known(10, seed=72))
    arguments = ["tick", "--dry-run", "--config", str(live.config)]
    assert guarded(lambda: app([*arguments, "--json"]), debug=False) == 0
    said = json.loads(capsys.readouterr().out)
    assert {"decision", "agreement", "audited", "alarm", "would"} <= set(said)
    assert guarded(lambda: app(arguments), debug=False) == 0
    assert "A tick would now:" in capsys.readouterr().out


@pytest.mark.slow
def test_a_re_distillation_is_announced_and_gone_on_with(drifted, tmp_path, monkeypatch):
    """Before it begins, and after a tick that began it was killed."""
    project = drifted.copy(tmp_path / "dry")
    asked = dry_tick(project.load().workspace)
    assert "Ask the teacher about 250" in asked.would[-1]
    with monkeypatch.context() as patch:
        patch.setattr("coffey.control.redistill.make_candidate", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            project.load().tick()
    found = dry_tick(project.load().workspace)
    assert "Go on with the re-distillation" in found.would[-1]
    project.load().tick()
    assert dry_tick(project.load().workspace).would == ()
