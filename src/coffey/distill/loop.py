"""The training loop: the only one there is; stages differ in their targets, plan and student."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from coffey.core.clock import Clock, monotonic
from coffey.core.errors import NothingToTrain, StageDiverged
from coffey.core.progress import Progress
from coffey.distill.answers import answer
from coffey.distill.batches import Tokenized, epoch_batches
from coffey.distill.checkpoint import Position, load_checkpoint, save_checkpoint
from coffey.distill.device import accelerator, seeded
from coffey.distill.features import hint_loss, make_projection, relation_loss
from coffey.distill.hopeless import LEAST_STEPS, Score, constant_answer, reason_to_stop
from coffey.distill.loss import loss_of
from coffey.distill.schedule import learning_rate_factor
from coffey.stats.scoring import ONE_LABEL, Scoring
from coffey.students.family import AnyStudent

WEIGHT_DECAY = 0.01
"""As in BERT (Devlin et al. 2019)."""

MAX_GRADIENT_NORM = 1.0
"""As in BERT."""

_RECENT_STEPS = 20
"""Steps that the running mean of the loss looks back on."""

_DIVERGED = 5.0
"""A running loss this many times that of uniform answers is not on its way anywhere.

It is compared with uniform answers, and not with the beginning alone, because a student that starts from
the champion begins with next to no loss.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a stage is trained."""

    name: str
    steps: int
    """Optimizer steps, at most."""
    batch_size: int
    learning_rate: float
    warmup: float
    """Share of the steps."""
    temperature: float
    hard_weight: float
    hint_weight: float
    relation_weight: float
    patience: int
    """Evaluations without improvement before the stage stops."""
    evaluate_every: int
    """Steps between evaluations; the last step is evaluated too."""
    checkpoint_seconds: float
    seed: int
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """What a stage is trained and judged on."""

    texts: Tokenized
    target: np.ndarray
    """float32 [texts, labels]: what the teachers of this stage say."""
    judge: np.ndarray
    """float32 [texts, labels]: what validation compares with, whoever teaches."""
    hard: np.ndarray
    """int64 [texts], `NO_LABEL` where there is none; sets [texts, labels] in a multi-label task."""
    train: np.ndarray
    """int64: rows to train on."""
    validation: np.ndarray
    """int64: rows that choose the best weights and are never trained on."""
    features: np.ndarray | None = None
    """float32 [texts, width]: the teacher's, see `features.normalized`; None where answers are all."""
    scoring: Scoring = ONE_LABEL


def train(
    student: AnyStudent,
    material: Material,
    plan: Plan,
    *,
    checkpoint: Path,
    progress: Progress,
    clock: Clock = monotonic,
) -> Position:
    """Train `student` in place and leave the best weights in it.

    A run that was killed goes on from `checkpoint`; on a CPU with the same number of threads it ends with
    the same bits as one that was not.

    Raises:
        NothingToTrain: there are no rows, no steps, or no validation rows.
        StageDiverged: the loss or the gradient stopped being a number, or the loss is five times that of
            uniform answers.
        StoreUnavailable: a checkpoint cannot be written or read.
    """
    _check(material, plan)
    with seeded(plan.seed, plan.threads):
        loop = _Loop(student, material, plan, checkpoint, progress, clock)
        return loop.run()


def _check(material: Material, plan: Plan) -> None:
    if plan.steps < 1:
        raise NothingToTrain(plan.name, f"{plan.steps} steps were planned; raise chain.epochs")
    if not len(material.train):
        raise NothingToTrain(plan.name, "the transfer set has no example outside the validation split")
    if not len(material.validation):
        raise NothingToTrain(
            plan.name, "the validation split is empty; give more examples or raise chain.validation"
        )


class _Loop:
    def __init__(
        self,
        student: AnyStudent,
        material: Material,
        plan: Plan,
        checkpoint: Path,
        progress: Progress,
        clock: Clock,
    ) -> None:
        self.device = accelerator().device
        self.student = student.to(self.device)
        self.material = material
        self.plan = plan
        self.checkpoint = checkpoint
        self.progress = progress
        self.clock = clock
        self.projection = self._make_projection()
        self.learner = student if self.projection is None else nn.ModuleList([student, self.projection])
        self.optimizer = make_optimizer(self.learner, plan.learning_rate)
        self.parameters = list(self.learner.parameters())
        restored = load_checkpoint(checkpoint, self.learner, self.optimizer)
        self.position, self.best = restored or (Position(), {})
        self.chance = chance_loss(material, plan)
        judge = material.judge[material.validation]
        constant = constant_answer(material.judge[material.train], len(judge))
        self.constant = Score(*compare(constant, judge, material.scoring))
        self.saved_at = self.mark = clock()

    def _make_projection(self) -> nn.Linear | None:
        features = self.material.features
        if features is None or not self.plan.hint_weight:
            return None
        return make_projection(self._feature_width(), features.shape[1]).to(self.device)

    def _feature_width(self) -> int:
        token = torch.ones((1, 1), dtype=torch.int64, device=self.device)
        self.student.eval()
        with torch.inference_mode():
            return int(self.student(token, token)[1].shape[1])

    def run(self) -> Position:
        self.progress.start(self.plan.name, self.plan.steps, "steps")
        self.progress.advance(self.plan.name, self.position.step)
        while self.position.step < self.plan.steps and not self.position.stopped:
            self._epoch()
        self.student.load_state_dict(self.best)
        self.student.eval()
        self.progress.finish(self.plan.name, f"agreement {self.position.best_agreement:.3f}")
        return self.position

    def _epoch(self) -> None:
        self.student.train()
        batches = epoch_batches(
            self.material.train,
            self.material.texts.lengths,
            size=self.plan.batch_size,
            seed=self.plan.seed,
            epoch=self.position.epoch,
        )
        for batch in batches[self.position.batch :]:
            self._step(batch)
            self.position.batch += 1
            last = self.position.step == self.plan.steps
            if last or self.position.step % self.plan.evaluate_every == 0:
                self._evaluate()
            if last or self.position.stopped:
                break
            if self.clock() - self.saved_at >= self.plan.checkpoint_seconds:
                self._save()
        else:
            self.position.epoch, self.position.batch = self.position.epoch + 1, 0
        self._save()

    def _step(self, batch: np.ndarray) -> None:
        position, plan = self.position, self.plan
        factor = learning_rate_factor(position.step, steps=plan.steps, warmup=plan.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = plan.learning_rate * factor
        input_ids, mask = self.material.texts.pad(batch)
        with accelerator().autocast():
            logits, features = self.student(input_ids.to(self.device), mask.to(self.device))
        loss = loss_of(self.material.scoring)(
            logits,
            torch.from_numpy(self.material.target[batch]).to(self.device),
            torch.from_numpy(self.material.hard[batch]).to(self.device),
            temperature=plan.temperature,
            hard_weight=plan.hard_weight,
        )
        if self.material.features is not None:
            wanted = torch.from_numpy(self.material.features[batch]).to(self.device)
            loss = loss + self._feature_loss(features, wanted)
        self.optimizer.zero_grad(set_to_none=True)
        accelerator().backward(loss)
        self._note(float(loss.detach()), clip_gradients(self.parameters))
        self.optimizer.step()
        position.step += 1
        position.tokens += input_ids.numel()
        self.progress.advance(plan.name, 1, f"loss {position.recent_loss:.3f}")

    def _feature_loss(self, features: Tensor, wanted: Tensor) -> Tensor:
        loss = self.plan.relation_weight * relation_loss(features, wanted)
        if self.projection is not None:
            loss = loss + self.plan.hint_weight * hint_loss(self.projection(features.float()), wanted)
        return loss

    def _note(self, loss: float, gradient_norm: float) -> None:
        position = self.position
        seen = position.step + 1
        if seen == 1:
            position.first_loss = loss
        position.recent_loss += (loss - position.recent_loss) / min(seen, _RECENT_STEPS)
        exploded = position.recent_loss > _DIVERGED * max(position.first_loss, self.chance)
        if not math.isfinite(loss) or not math.isfinite(gradient_norm) or exploded:
            raise StageDiverged(self.plan.name, seen, loss, self.plan.learning_rate)

    def _evaluate(self) -> None:
        position, rows = self.position, self.material.validation
        scoring = self.material.scoring
        said = answer(self.student, self.material.texts, rows, scoring)
        agreement, loss = compare(said, self.material.judge[rows], scoring)
        better = (agreement, -loss) > (position.best_agreement, -position.best_loss)
        if scoring.independent:  # the F1 of a student that gives every label is high before it has learned
            better = loss < position.best_loss
        if better:
            position.best_agreement, position.best_loss, position.worse = agreement, loss, 0
            self.best = {name: value.detach().clone() for name, value in self.student.state_dict().items()}
        else:
            position.worse += 1
            position.stopped = position.worse >= self.plan.patience
        position.curve.append(position.best_agreement)
        self._give_up()
        self.student.train()

    def _give_up(self) -> None:
        position, plan = self.position, self.plan
        if position.step < min(LEAST_STEPS, plan.steps) and not position.stopped:
            return
        position.hopeless = reason_to_stop(
            position.curve,
            position.best_loss,
            done=position.step / plan.steps,
            left=0 if position.stopped else math.ceil((plan.steps - position.step) / plan.evaluate_every),
            constant=self.constant,
        )
        position.stopped = position.stopped or bool(position.hopeless)

    def _save(self) -> None:
        now = self.clock()
        self.position.seconds += now - self.mark
        self.mark = now
        save_checkpoint(self.checkpoint, self.position, self.learner, self.optimizer, self.best)
        self.saved_at = self.clock()


def clip_gradients(parameters: Sequence[Tensor]) -> float:
    """Scale the gradients down to a joint norm of `MAX_GRADIENT_NORM` at most; returns the norm they had.

    As `torch.nn.utils.clip_grad_norm_`, without its pass over all gradients when it would multiply by one.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total = torch.nn.utils.get_total_norm(gradients)
    norm = float(total)
    if norm > MAX_GRADIENT_NORM:
        torch.nn.utils.clip_grads_with_norm_(parameters, MAX_GRADIENT_NORM, total)
    return norm


def chance_loss(material: Material, plan: Plan) -> float:
    """The loss of a student that knows nothing (logits of 0), on some training rows."""
    rows = material.train[: 10 * plan.batch_size]
    target = torch.from_numpy(material.target[rows])
    return float(
        loss_of(material.scoring)(
            torch.zeros_like(target),
            target,
            torch.from_numpy(material.hard[rows]),
            temperature=plan.temperature,
            hard_weight=plan.hard_weight,
        )
    )


def make_optimizer(learner: nn.Module, learning_rate: float) -> torch.optim.AdamW:
    """AdamW whose decay spares norms and biases."""
    parameters = list(learner.parameters())
    decayed: list[Tensor] = [parameter for parameter in parameters if parameter.ndim > 1]
    spared: list[Tensor] = [parameter for parameter in parameters if parameter.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": spared, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


def compare(answers: np.ndarray, judge: np.ndarray, scoring: Scoring = ONE_LABEL) -> tuple[float, float]:
    """Agreement (mean score) and mean KL(judge || answers), both [n, labels], at temperature 1.

    Of independent labels the divergence is the sum over labels.
    """
    agreement = float(scoring.score(scoring.answers(answers), scoring.answers(judge)).mean())
    divergence = _divergence(answers, judge)
    if scoring.independent:
        divergence = divergence + _divergence(1 - answers, 1 - judge)
    return agreement, float(divergence.mean())


def _divergence(answers: np.ndarray, judge: np.ndarray) -> np.ndarray:
    ratio = np.log(np.maximum(judge, 1e-12)) - np.log(np.maximum(answers, 1e-12))
    found: np.ndarray = (judge * ratio).sum(axis=1)
    return found
