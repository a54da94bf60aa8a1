"""Every family goes through a chain, and what it becomes can be exported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from coffey.core.progress import Silent
from coffey.core.settings import ExportSettings
from coffey.distill.chain import run_chain
from coffey.distill.controls import equal_epochs, labels_only
from coffey.export.export import export_student
from coffey.students.checkpoint import load_student

OWN = Path(__file__).parents[1] / "students"
STAGES = ("layers=2,width=64,intermediate=128", "static:width=32,hidden=16", "static:width=16")


@pytest.fixture
def own_module(monkeypatch):
    monkeypatch.syspath_prepend(OWN)
    yield "module=own_module:make"
    sys.modules.pop("own_module", None)


def test_static_students_end_a_chain(request_for):
    """First weights come from the stage before; a second run trains nothing and finds the same."""
    request = request_for({"epochs": 4.0}, stages=STAGES)
    result = run_chain(request, progress=Silent())
    assert [stage.initialized for stage in result.stages] == ["teacher", *STAGES[:2]]
    for stage in result.stages:
        saved = load_student(stage.folder)
        assert sum(weight.numel() for weight in saved.student.parameters()) == stage.params
    assert result.final.validation_agreement > 1.5 / len(request.labels)
    again = run_chain(request, progress=Silent())
    assert all(stage.resumed for stage in again.stages)
    assert [stage.shape for stage in again.stages] == [stage.shape for stage in result.stages]


@pytest.mark.parametrize("last", ["static:width=16", "module=own_module:bag_of_words"])
def test_control_arms_of_a_table_stay_affordable(last, request_for, own_module):
    """Equal compute counts the table, which its steps pass over, not what lies outside of it, if anything."""
    request = request_for(stages=(*STAGES[:2], last))
    result = run_chain(request, progress=Silent())
    epochs = equal_epochs(result, 100, 100, 2.0)
    spent = sum(stage.epochs * stage.params for stage in result.stages)
    assert 2.0 < epochs <= 2 * spent / result.final.params
    assert labels_only(request, result, progress=Silent()).shape == result.final.shape


@pytest.mark.parametrize("stage", ["static:width=32", "module"])
def test_what_ships_says_what_was_trained(stage, request_for, own_module, tmp_path):
    """All variants are exported, and the one that ships agrees with the torch module."""
    wanted = own_module if stage == "module" else stage
    request = request_for({"epochs": 4.0, "learning_rate": 5e-3}, stages=(wanted,))
    result = run_chain(request, progress=Silent())
    saved = load_student(result.final.folder)
    variants = export_student(
        saved.student,
        saved.tokenizer,
        labels=request.labels,
        max_length=16,
        folder=tmp_path / "export",
        holdout_texts=request.texts[:100],
        settings=ExportSettings(),
    )
    assert variants.chosen.agreement >= 0.99
    assert variants.named("fp32").largest_difference < 1e-4
    assert variants.parameters.total == result.final.params
    assert variants.parameters.without_embeddings == result.final.params_without_embeddings


def test_a_module_starts_again_from_its_champion(request_for, own_module, tmp_path):
    """Re-distillation takes over all weights of an equal module."""
    first = run_chain(request_for(stages=(own_module,)), progress=Silent()).final
    still = request_for({"learning_rate": 1e-12}, start=first.folder, folder=tmp_path / "again")
    again = run_chain(still, progress=Silent()).final
    assert again.shape == first.shape
    before, after = (load_student(stage.folder).student.state_dict() for stage in (first, again))
    assert all((before[name] - after[name]).abs().max() < 1e-6 for name in before)
