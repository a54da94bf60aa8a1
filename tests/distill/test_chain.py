"""A chain trains its stages in order, keeps what is finished, and starts from what is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coffey.core.errors import EmptyData, NothingToTrain, StageInputsChanged
from coffey.core.progress import Silent
from coffey.distill.answers import answer
from coffey.distill.batches import tokenize
from coffey.distill.chain import run_chain
from coffey.distill.controls import ARGMAX_LABELS, DIRECT, LABELS, direct_jump, labels_only
from coffey.distill.stage import digest_weights
from coffey.students.checkpoint import load_student


def weights(stage):
    return digest_weights(load_student(stage.folder).student.state_dict())


def test_a_chain_ends_in_students_that_can_be_loaded(request_for, task):
    """Each stage's student has the counts it states; the stage says who taught it and where it started."""
    result = run_chain(request_for(), progress=Silent())
    first, second = result.stages
    assert first.taught_by == ("teacher",)
    assert second.taught_by == ("teacher", first.name)
    assert (first.initialized, second.initialized) == ("teacher", first.name)
    for stage in result.stages:
        saved = load_student(stage.folder)
        assert sum(p.numel() for p in saved.student.parameters()) == stage.params
        assert saved.tokenizer.get_vocab_size() == saved.student.shape.vocabulary
        assert stage.steps > 0 < stage.validation_agreement
    assert result.final is second
    assert second.params < first.params
    assert first.validation_agreement > 1.5 / len(saved.labels)


def test_a_second_run_keeps_what_is_finished(request_for):
    """The same request trains nothing again and gives the same results; other data is refused."""
    request = request_for()
    first = run_chain(request, progress=Silent())
    again = run_chain(request, progress=Silent())
    assert all(stage.resumed for stage in again.stages)
    assert [replace(stage, resumed=False) for stage in again.stages] == list(first.stages)
    with pytest.raises(StageInputsChanged, match="settings"):
        run_chain(request_for({"learning_rate": 1e-3}), progress=Silent())
    with pytest.raises(StageInputsChanged, match="validation split"):
        run_chain(request_for(validation=np.arange(len(request.texts)) % 5 == 1), progress=Silent())


def test_the_teachers_weights_help(request_for, tmp_path):
    """After the same few steps a student that started from the teacher agrees more and has less loss."""
    few = {"epochs": 3.0}
    stages = ("layers=2,width=32,intermediate=96",)
    warm = run_chain(request_for(few, stages=stages, folder=tmp_path / "warm"), progress=Silent()).final
    cold = run_chain(
        request_for(few | {"initialize": "scratch"}, stages=stages, folder=tmp_path / "cold"),
        progress=Silent(),
    ).final
    assert (warm.initialized, cold.initialized) == ("teacher", "scratch")
    assert warm.validation_loss < 0.8 * cold.validation_loss
    assert warm.validation_agreement > cold.validation_agreement


def test_a_teacher_without_tokenizer_or_encoder_is_enough(request_for, tmp_path):
    """A function as teacher gives students from scratch with a new tokenizer, the same in every run."""
    bare = {"tokenizer": None, "encoder": None, "hard": None, "stages": ("layers=1,width=32",)}
    first = run_chain(request_for(folder=tmp_path / "1", **bare), progress=Silent()).final
    second = run_chain(request_for(folder=tmp_path / "2", **bare), progress=Silent()).final
    assert first.initialized == "scratch"
    assert weights(first) == weights(second)


def test_redistilling_goes_on_from_the_champion(request_for, tmp_path):
    """Its shape, tokenizer and weights are taken; few steps lose nothing of what it knew."""
    champion = run_chain(request_for({"epochs": 6.0}, folder=tmp_path / "1"), progress=Silent()).stages[0]
    request = request_for({"epochs": 1.0}, folder=tmp_path / "2", start=champion.folder)
    result = run_chain(request, progress=Silent())
    (stage,) = result.stages
    assert stage.initialized == "champion"
    assert stage.shape == champion.shape
    before, after = load_student(champion.folder), load_student(stage.folder)
    assert after.tokenizer.to_str() == before.tokenizer.to_str()
    assert stage.validation_agreement >= champion.validation_agreement - 0.1
    assert weights(stage) != weights(champion)


def test_a_champion_that_teaches_what_it_held_is_forgotten_less(request_for, tmp_path):
    """With its own answers mixed in, the new student stays nearer to them; guidance `root` skips it."""
    champion = run_chain(request_for({"epochs": 2.0}, folder=tmp_path / "1"), progress=Silent()).stages[0]
    plain = request_for({"epochs": 2.0}, folder=tmp_path / "2", start=champion.folder)
    everywhere = np.ones(len(plain.texts), dtype=bool)
    held = replace(plain, folder=tmp_path / "3", start_teaches=everywhere)
    root = replace(held, folder=tmp_path / "4", settings=replace(plain.settings, epochs=1.0, guidance="root"))
    stages = {
        name: run_chain(one, progress=Silent()).final for name, one in (("plain", plain), ("held", held))
    }
    assert stages["plain"].taught_by == run_chain(root, progress=Silent()).final.taught_by == ("teacher",)
    assert stages["held"].taught_by == ("teacher", "champion")
    said = {name: _said(stage.folder, plain.texts) for name, stage in stages.items()}
    before = _said(champion.folder, plain.texts)
    assert np.abs(said["held"] - before).mean() < np.abs(said["plain"] - before).mean()


def _said(folder, texts):
    saved = load_student(folder)
    tokens = tokenize(saved.tokenizer, texts, max_length=saved.student.shape.max_length)
    return answer(saved.student, tokens, np.arange(len(texts)))


@pytest.mark.slow
def test_controls_have_the_last_students_shape_and_no_less_compute(request_for):
    """Both arms train the last shape, from the same data, with the steps that the chain's compute buys."""
    request = request_for({"epochs": 1.0, "patience": 100})
    result = run_chain(request, progress=Silent())
    direct = direct_jump(request, result, progress=Silent())
    labels = labels_only(request, result, progress=Silent())
    assert (direct.name, labels.name) == (DIRECT, LABELS)
    assert direct.shape == labels.shape == result.final.shape
    assert direct.taught_by == ("teacher",)
    assert labels.taught_by == ("labels",)
    for arm in (direct, labels):
        assert arm.flops == pytest.approx(result.flops, rel=0.35)
        assert arm.steps > result.final.steps
    unlabelled = labels_only(replace(request, hard=None), result, progress=Silent())
    assert unlabelled.name == ARGMAX_LABELS


def test_a_chain_of_one_stage_is_its_own_direct_jump(request_for):
    """Nothing is trained a second time."""
    request = request_for({"epochs": 0.2}, stages=("layers=1,width=32,intermediate=64",))
    result = run_chain(request, progress=Silent())
    before = sorted(request.folder.iterdir())
    assert direct_jump(request, result, progress=Silent()) is result.final
    assert sorted(request.folder.iterdir()) == before


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_features_are_read_for_each_stage_and_never_for_labels_alone(request_for, task, tmp_path):
    """They change what the stages become; without them a line says so, and with weights of 0 none is read."""
    read = []

    def features(texts):
        read.append(len(texts))
        return task.teacher.astype(np.float16)

    brief = {"epochs": 0.5}
    shown = request_for(brief, features=features, folder=tmp_path / "shown")
    taught = run_chain(shown, progress=Silent())
    assert read == [len(task.texts)] * len(taught.stages)
    labels_only(shown, taught, progress=Silent())
    off = brief | {"hint_weight": 0.0, "relation_weight": 0.0}
    run_chain(request_for(off, features=features, folder=tmp_path / "off"), progress=Silent())
    assert read == [len(task.texts)] * len(taught.stages)
    heard = Heard()
    bare = run_chain(request_for(brief, folder=tmp_path / "bare"), progress=heard)
    assert any("shows no features" in line for line in heard.lines)
    for one, other in zip(taught.stages, bare.stages, strict=True):
        assert weights(one) != weights(other)


def test_what_cannot_be_trained_is_refused(request_for):
    """No texts, arrays of other lengths, no steps, no validation: each is an error that says so."""
    with pytest.raises(EmptyData):
        run_chain(request_for(texts=[], keys=[], validation=np.empty(0, bool)), progress=Silent())
    with pytest.raises(EmptyData, match="shape"):
        run_chain(request_for(labels=("a", "b")), progress=Silent())
    with pytest.raises(EmptyData, match="keys"):
        run_chain(request_for(keys=["k"]), progress=Silent())
    with pytest.raises(NothingToTrain, match="validation"):
        run_chain(request_for(validation=np.zeros(320, bool)), progress=Silent())
    with pytest.raises(NothingToTrain, match="0 steps"):
        run_chain(request_for({"epochs": 0.01}, validation=np.arange(320) % 5 == 1), progress=Silent())
