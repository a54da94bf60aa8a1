"""From data to a registered challenger, once; what does not pass the gate is not registered."""

from __future__ import annotations

import html
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from coffey.artifact.manifest import content_digest
from coffey.artifact.predictor import Predictor
from coffey.cli.distill import draw
from coffey.project.distilling import prepare, run_id
from coffey.project.labelling import RECHECKED
from coffey.registry.protocol import CHALLENGER, CHAMPION


def files(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_second_run_asks_nothing_and_trains_nothing(live):
    """Same artifact, same version, no new file among labels, stages, artifacts and registry."""
    before = files(live.store)
    result = live.load().distill(report=False)
    champion = live.load().workspace.registry.resolve(CHAMPION)
    assert result.student.digest == champion.digest
    assert all(stage.resumed for stage in result.stages)
    assert len(live.asked()) == RECHECKED
    assert result.labelling.asked == 0
    changed = {path for path, stamp in files(live.store).items() if before.get(path) != stamp}
    assert changed == set()
    assert live.load().workspace.registry.alias(CHALLENGER) is None, "a champion does not challenge itself"


def test_what_ships_is_what_was_measured(distilled):
    """Agreement and accuracy in the result are those of the artifact's own answers on the holdout."""
    result = json.loads((distilled.store / "results" / "distill.json").read_text())
    space = distilled.load().workspace
    predictor = Predictor.load(space.store / space.registry.resolve(CHAMPION).artifact, trust=space.trust)
    rows = [json.loads(line) for line in (distilled.folder / "holdout.jsonl").read_text().splitlines()]
    texts = [row["text"] for row in rows]
    said = [predictor.labels[index] for index in predictor.predict(texts).argmax(axis=1)]
    taught = [space.teacher.labels[index] for index in space.teacher.predict(texts).argmax(axis=1)]
    agreement = sum(map(str.__eq__, said, taught)) / len(rows)
    accuracy = sum(row["intent"] == label for row, label in zip(rows, said, strict=True)) / len(rows)
    assert result["student"]["agreement"]["value"] == pytest.approx(agreement)
    assert result["student"]["accuracy"]["value"] == pytest.approx(accuracy)
    assert result["student"]["params"] == predictor.manifest.params
    assert result["params_ratio"] == pytest.approx(1_000_000 / predictor.manifest.params)


def test_the_contract_is_the_measured_agreement(distilled):
    """What the first champion promises is what its gate saw, and how it came to be is in the log."""
    space = distilled.load().workspace
    champion = space.registry.resolve(CHAMPION)
    quality = Predictor.load(space.store / champion.artifact, trust=space.trust).manifest.quality
    assert champion.contract.agreement == quality.agreement
    assert (champion.contract.examples, champion.contract.measured_on) == (150, "holdout")
    added = space.registry.events()[0]
    assert (added.kind, added.who) == ("add", "distill")
    assert "budget.min_retention" in added.evidence["gate"]


@pytest.mark.slow
def test_the_gate_refuses_and_nothing_is_registered(live):
    """A student that was hardly trained stays out of the registry; the artifact is there to be looked at."""
    live.edit("epochs = 16", "epochs = 0.2")
    before = live.load().models()
    result = live.load().distill()
    assert not result.gate.passed
    assert "below budget.min_retention" in result.gate.reason
    assert result.challenger is None
    assert live.load().models() == before
    assert (live.store / "artifacts" / result.student.digest / "manifest.json").exists()


@pytest.mark.slow
def test_without_labels_agreement_is_the_gate(live):
    """No accuracy, no retention: the lower bound of agreement is held against min_agreement."""
    live.edit('label = "intent"\n', "")
    result = live.load().distill()
    assert result.gate.passed
    assert "budget.min_agreement" in result.gate.reason
    assert (result.student.accuracy, result.student.retention, result.teacher.accuracy) == (None, None, None)
    assert result.challenger == live.load().workspace.registry.alias(CHALLENGER)


@pytest.mark.slow
def test_the_control_arms_are_trained_beside_the_chain(live):
    """Two stages against the direct jump and the label-only student, on the same rows, winner or not."""
    live.edit('"layers=1', '"layers=1,width=64,heads=2,vocabulary=400", "layers=1')
    live.edit("epochs = 16", "epochs = 6")
    result = live.load().distill(compare=True)
    assert [stage.taught_by for stage in result.stages][0] == ("teacher",)
    assert len(result.stages[1].taught_by) == 2
    direct, hard = result.controls.comparisons
    assert {direct.measure, hard.measure} == {"accuracy"}
    for one in (direct, hard):
        assert one.difference.low <= one.difference.value <= one.difference.high
        won, lost = one.difference.low > 0, one.difference.high < 0
        assert ("won" in one.verdict, "lost" in one.verdict) == (won, lost)
    assert result.controls.direct.params == result.controls.labels_only.params == result.student.params
    shown = _shown(result)
    assert direct.verdict in shown
    assert hard.verdict in shown


@pytest.mark.slow
def test_a_chain_that_does_not_beat_the_direct_jump_does_not_ship(live):
    """The direct jump is registered, its lineage names no other stage, the table says why and what next."""
    live.edit('"layers=1', '"layers=1,width=64,heads=2,vocabulary=400", "layers=1')
    live.edit("epochs = 16", "epochs = 6")
    result = live.load().distill()
    (decision,) = result.proof.decisions
    assert (decision.kept, result.proof.shipped) == (False, "direct jump")
    space = live.load().workspace
    made = Predictor.load(space.store / "artifacts" / result.student.digest, trust=space.trust).manifest
    assert [stage.name for stage in made.lineage.stages] == ["direct jump"]
    assert content_digest(made) == result.student.content
    shown = _shown(result)
    assert f"{decision.stage} is dropped: {decision.reason}." in shown
    assert result.proof.advice in shown
    assert decision.stage not in result.proof.advice
    page = (live.store / "reports" / "distill.html").read_text()
    assert decision.reason in html.unescape(page)


def test_other_code_of_a_users_module_is_another_run(live, monkeypatch):
    """Its stage is trained anew, beside the one before; the stage's text alone stays what it was."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    written = (Path(__file__).parents[1] / "students" / "own_module.py").read_text()
    module = live.folder / "edited_module.py"
    module.write_text(written)
    live.edit('stages = ["', 'stages = ["module=edited_module:make"]  # ["')
    first, same, edited = (
        _run_after(module, text, live) for text in (written, written, f"{written}# edited")
    )
    assert first == same != edited


def _run_after(module, text, live) -> str:
    module.write_text(text)
    space = live.load().workspace
    return run_id(space, prepare(space))


def test_a_last_stage_that_was_given_up_says_so(live):
    """No proof speaks of the last stage; a resumed run, which trains nothing, says it too."""
    result = live.load().distill(report=False)
    assert "was given up" not in _shown(result)
    last = replace(result.stages[-1], hopeless="after 50% of its steps")
    shown = _shown(replace(result, stages=(*result.stages[:-1], last)))
    assert f"{last.name} was given up after 50% of its steps. Higher chain.epochs" in shown


def _shown(result) -> str:
    """What `coffey distill` prints, in one wide line a row."""
    file = io.StringIO()
    Console(file=file, width=400).print(draw(result))
    return file.getvalue()


@pytest.mark.slow
def test_other_export_settings_make_another_artifact(live):
    """Changing [export] is enough: nothing is trained, the student is exported anew."""
    live.edit("[budget]", "[export]\nint8 = false\n[budget]")
    result = live.load().distill(report=False)
    assert all(stage.resumed for stage in result.stages)
    assert result.student.variant != "int8"
    assert result.challenger == live.load().workspace.registry.alias(CHALLENGER)
