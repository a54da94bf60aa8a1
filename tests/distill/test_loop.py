"""The loop trains what it should, refuses what it cannot, and resumes to the same bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from coffey.core.errors import NothingToTrain, StageDiverged, StoreUnavailable
from coffey.core.progress import Silent
from coffey.distill.answers import answer
from coffey.distill.batches import tokenize
from coffey.distill.features import make_projection, normalized, relation_loss
from coffey.distill.loop import (
    MAX_GRADIENT_NORM,
    Material,
    Plan,
    clip_gradients,
    compare,
    make_optimizer,
    train,
)
from coffey.distill.stage import digest_weights
from coffey.students.encoder import Student, pool
from coffey.students.initialization import initialize_from_scratch
from coffey.students.shape import EncoderShape

PLAN = Plan(
    name="small",
    steps=12,
    batch_size=32,
    learning_rate=2e-3,
    warmup=0.1,
    temperature=2.0,
    hard_weight=0.1,
    hint_weight=0.0,
    relation_weight=0.0,
    patience=3,
    evaluate_every=5,
    checkpoint_seconds=1e-9,
    seed=4,
    threads=1,
)


class Crash(Exception):
    """Stands for the power cut."""


class CrashAt(Silent):
    def __init__(self, step: int) -> None:
        self.left = step

    def advance(self, task, amount=1, note=""):
        if note:
            self.left -= 1
            if self.left == 0:
                raise Crash


@pytest.fixture
def material(task):
    rows = np.arange(len(task.texts))
    return Material(
        texts=tokenize(task.tokenizer, task.texts, max_length=16),
        target=task.teacher,
        judge=task.teacher,
        hard=task.hard,
        train=rows[rows % 5 != 0],
        validation=rows[rows % 5 == 0],
    )


def fresh(task, seed: int = 0) -> Student:
    student = Student(EncoderShape(1, 32, 1, 64, task.tokenizer.get_vocab_size(), 16, 4), dropout=0.1)
    initialize_from_scratch(student, seed=seed)
    return student


def trained(task, material, folder, plan=PLAN, progress=None):
    student = fresh(task)
    position = train(student, material, plan, checkpoint=folder / "c.pt", progress=progress or Silent())
    return digest_weights(student.state_dict()), position


@pytest.mark.parametrize("crash", [1, 5, 6, 9, 12])
def test_a_crash_at_any_step_changes_nothing(task, material, tmp_path, crash):
    """Going on from the last checkpoint gives the bits of an undisturbed run, dropout included."""
    undisturbed, position = trained(task, material, tmp_path / "whole")
    with pytest.raises(Crash):
        trained(task, material, tmp_path, progress=CrashAt(crash))
    torch.manual_seed(987)
    resumed, again = trained(task, material, tmp_path)
    assert resumed == undisturbed
    assert replace_seconds(again) == replace_seconds(position)


def replace_seconds(position):
    return replace(position, seconds=0.0)


@pytest.mark.parametrize("crash", [5, 9])
def test_a_crash_changes_nothing_where_features_are_transferred(task, material, tmp_path, crash):
    """The bits of an undisturbed run, projection included, which are not those of a run without features."""
    plan = replace(PLAN, hint_weight=0.3, relation_weight=10.0)
    taught = replace(material, features=features_of(task))
    undisturbed, _ = trained(task, taught, tmp_path / "whole", plan)
    assert undisturbed != trained(task, material, tmp_path / "answers alone", plan)[0]
    with pytest.raises(Crash):
        trained(task, taught, tmp_path, plan, progress=CrashAt(crash))
    assert trained(task, taught, tmp_path, plan)[0] == undisturbed


def test_relations_bring_the_students_view_nearer_to_the_teachers(task, material, tmp_path):
    """After the same steps the cosines between validation texts are nearer to the teacher's."""
    wanted = torch.from_numpy(features_of(task)[material.validation])
    away = {}
    for weight in (0.0, 10.0):
        student = fresh(task)
        plan = replace(PLAN, steps=40, relation_weight=weight)
        taught = replace(material, features=features_of(task) if weight else None)
        train(student, taught, plan, checkpoint=tmp_path / f"{weight}.pt", progress=Silent())
        with torch.inference_mode():
            _, seen = student(*material.texts.pad(material.validation))
        away[weight] = float(relation_loss(seen, wanted))
    assert away[10.0] < away[0.0]


def test_hints_leave_the_teachers_features_to_be_read_from_the_student(task, material, tmp_path):
    """After the same steps a linear map of the student's features is nearer to the teacher's."""
    wanted = features_of(task)[material.validation]
    left = {}
    for weight in (0.0, 1.0):
        student = fresh(task)
        taught = replace(material, features=features_of(task) if weight else None)
        plan = replace(PLAN, steps=40, hint_weight=weight)
        train(student, taught, plan, checkpoint=tmp_path / f"{weight}.pt", progress=Silent())
        with torch.inference_mode():
            _, seen = student(*material.texts.pad(material.validation))
        known = np.hstack([seen.numpy(), np.ones((len(seen), 1), np.float32)])
        _, rest, _, _ = np.linalg.lstsq(known, wanted, rcond=None)
        left[weight] = rest.sum()
    assert left[1.0] < left[0.0]


def test_what_is_trained_for_hints_does_not_stay_in_the_student(task, material, tmp_path):
    """The student has the weights that its shape has, and no more."""
    student = fresh(task)
    names = set(student.state_dict())
    taught = replace(material, features=features_of(task))
    train(student, taught, replace(PLAN, hint_weight=0.3), checkpoint=tmp_path / "c.pt", progress=Silent())
    assert set(student.state_dict()) == names


def test_a_projection_decays_like_the_rest(task):
    """What does not ship is optimized with the same rule."""
    student = fresh(task)
    learner = torch.nn.ModuleList([student, make_projection(32, 64)])
    decayed, spared = make_optimizer(learner, 1e-3).param_groups
    assert len(decayed["params"]) + len(spared["params"]) == len(list(student.parameters())) + 2


def features_of(task):
    """The teacher's pooled features, float32 [texts, 64]."""
    tokenized = tokenize(task.tokenizer, task.texts, max_length=16)
    ids, mask = tokenized.pad(np.arange(len(task.texts)))
    with torch.inference_mode():
        hidden = task.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return normalized(pool(hidden, mask).numpy(), np.arange(len(task.texts)))


def test_the_seed_decides_everything(task, material, tmp_path):
    """The same seed gives the same bits whatever torch drew before; another seed gives others."""
    first, _ = trained(task, material, tmp_path / "1")
    torch.manual_seed(99)
    second, _ = trained(task, material, tmp_path / "2")
    other, _ = trained(task, material, tmp_path / "3", replace(PLAN, seed=5))
    assert first == second != other


def test_training_leaves_the_callers_randomness_alone(task, material, tmp_path):
    """What torch draws after a stage is what it would have drawn without it."""
    torch.manual_seed(1)
    wanted = torch.rand(3)
    student = fresh(task)
    torch.manual_seed(1)
    train(student, material, PLAN, checkpoint=tmp_path / "c.pt", progress=Silent())
    assert torch.equal(torch.rand(3), wanted)


def test_validation_is_never_trained_on(task, material, tmp_path):
    """Targets of the validation split that are nonsense change no trained weight."""
    poisoned = material.target.copy()
    poisoned[material.validation] = np.nan
    hard = material.hard.copy()
    hard[material.validation] = 0
    clean, _ = trained(task, material, tmp_path / "1")
    other, _ = trained(task, replace(material, target=poisoned, hard=hard), tmp_path / "2")
    assert clean == other


def test_the_best_weights_are_kept(task, material, tmp_path):
    """What is left in the student is what scored best on the validation split."""
    student = fresh(task)
    position = train(student, material, PLAN, checkpoint=tmp_path / "c.pt", progress=Silent())
    found = compare(answer(student, material.texts, material.validation), material.judge[material.validation])
    assert found == pytest.approx((position.best_agreement, position.best_loss))


def test_no_improvement_stops_early(task, material, tmp_path):
    """With a learning rate that changes nothing, a stage ends after `patience` evaluations."""
    plan = replace(PLAN, steps=500, learning_rate=1e-12, evaluate_every=2, patience=3, warmup=0.0)
    _, position = trained(task, material, tmp_path, plan)
    assert position.stopped
    assert position.step < 100


def test_a_loss_that_is_no_number_is_an_error(task, material, tmp_path):
    """One NaN in the targets names the stage, the step and what to try."""
    target = material.target.copy()
    target[material.train] = np.nan
    with pytest.raises(StageDiverged, match=r"'small' diverged at step 1.*learning_rate"):
        trained(task, replace(material, target=target), tmp_path)


def test_a_learning_rate_without_measure_is_an_error(task, material, tmp_path):
    """A loss that grows without bound ends the stage instead of the budget."""
    with pytest.raises(StageDiverged):
        trained(task, material, tmp_path, replace(PLAN, steps=300, learning_rate=100.0, warmup=0.5))


def test_nothing_to_train_is_said(task, material, tmp_path):
    """No steps, no rows and no validation rows are errors, not empty successes."""
    none = np.empty(0, dtype=np.int64)
    with pytest.raises(NothingToTrain, match="0 steps"):
        trained(task, material, tmp_path, replace(PLAN, steps=0))
    with pytest.raises(NothingToTrain, match="no example"):
        trained(task, replace(material, train=none), tmp_path)
    with pytest.raises(NothingToTrain, match="validation"):
        trained(task, replace(material, validation=none), tmp_path)


def test_a_damaged_checkpoint_is_named(task, material, tmp_path):
    """A file that is no checkpoint is refused with its path; nothing is unpickled from it."""
    (tmp_path / "c.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(StoreUnavailable, match=r"c\.pt"):
        trained(task, material, tmp_path)


def test_norms_and_biases_do_not_decay(task):
    """Every matrix decays, every vector is spared, and none is forgotten."""
    student = fresh(task)
    decayed, spared = make_optimizer(student, 1e-3).param_groups
    assert decayed["weight_decay"] > 0 == spared["weight_decay"]
    assert all(parameter.ndim == 2 for parameter in decayed["params"])
    assert len(decayed["params"]) + len(spared["params"]) == len(list(student.parameters()))


@pytest.mark.parametrize("size", [1e-3, 1.0])
def test_gradients_are_clipped_as_torch_clips_them(size):
    """To the bit, where the norm is over the bound and where it is not."""
    weights = [torch.nn.Parameter(torch.zeros(6, 5)), torch.nn.Parameter(torch.zeros(5))]
    drawn = [size * torch.randn(weight.shape) for weight in weights]
    found = []
    for clip in (clip_gradients, lambda given: torch.nn.utils.clip_grad_norm_(given, MAX_GRADIENT_NORM)):
        for weight, gradient in zip(weights, drawn, strict=True):
            weight.grad = gradient.clone()
        norm = float(clip(weights))
        found.append((norm, [weight.grad.tolist() for weight in weights]))
    assert found[0] == found[1]
    assert (found[0][0] > MAX_GRADIENT_NORM) == (size == 1.0)
