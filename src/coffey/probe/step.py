"""Seconds of one optimizer step, from a few real ones."""

from __future__ import annotations

import numpy as np
import torch

from coffey.core.clock import Clock, monotonic
from coffey.core.settings import ChainSettings
from coffey.distill.answers import answer
from coffey.distill.batches import Tokenized, epoch_batches
from coffey.distill.device import accelerator, seeded
from coffey.distill.loop import MAX_GRADIENT_NORM, make_optimizer
from coffey.distill.loss import NO_LABEL, distillation_loss
from coffey.students.encoder import Student

_WARM_UP = 2
_FEWEST = 3


def time_step(
    student: Student,
    texts: Tokenized,
    settings: ChainSettings,
    *,
    seconds: float,
    clock: Clock = monotonic,
) -> float:
    """Mean seconds of a training step on batches of `texts` as training makes them, evaluation included.

    Targets are uniform: what is learned costs no time. An evaluation comes once an epoch; its share of a
    step is the time of answering as many validation texts as an epoch has for each of its steps.

    Args:
        student: its weights are changed.
        texts: a sample of the transfer set.
        settings: batch size, threads, validation share.
        seconds: how long steps are timed; at least three are.
        clock: seconds.
    """
    batches = epoch_batches(
        np.arange(len(texts)), texts.lengths, size=settings.batch_size, seed=settings.seed, epoch=0
    )
    whole = [batch for batch in batches if len(batch) == settings.batch_size] or batches
    with seeded(settings.seed, settings.threads):
        student.to(accelerator().device).train()
        training = _mean_step(student, texts, whole, settings, seconds, clock)
        evaluated = settings.batch_size * settings.validation / (1 - settings.validation)
        return training + evaluated * _answer_s(student, texts, clock)


def _mean_step(
    student: Student,
    texts: Tokenized,
    batches: list[np.ndarray],
    settings: ChainSettings,
    seconds: float,
    clock: Clock,
) -> float:
    optimizer = make_optimizer(student, settings.learning_rate)
    for turn in range(_WARM_UP):
        _step(student, optimizer, texts, batches[turn % len(batches)], settings)
    begin, steps = clock(), 0
    while steps < _FEWEST or clock() - begin < seconds:
        _step(student, optimizer, texts, batches[steps % len(batches)], settings)
        steps += 1
    return (clock() - begin) / steps


def _step(
    student: Student,
    optimizer: torch.optim.Optimizer,
    texts: Tokenized,
    batch: np.ndarray,
    settings: ChainSettings,
) -> None:
    device = next(student.parameters()).device
    input_ids, mask = texts.pad(batch)
    with accelerator().autocast():
        logits, _ = student(input_ids.to(device), mask.to(device))
    loss = distillation_loss(
        logits,
        torch.full_like(logits, 1 / logits.shape[1], dtype=torch.float32),
        torch.full((len(batch),), NO_LABEL, device=device),
        temperature=settings.temperature,
        hard_weight=settings.hard_weight,
    )
    optimizer.zero_grad(set_to_none=True)
    accelerator().backward(loss)
    torch.nn.utils.clip_grad_norm_(student.parameters(), MAX_GRADIENT_NORM)
    optimizer.step()
    float(loss.detach())


def _answer_s(student: Student, texts: Tokenized, clock: Clock) -> float:
    """Seconds to answer one text in the batches of an evaluation."""
    rows = np.arange(min(len(texts), 512))
    begin = clock()
    answer(student, texts, rows)
    return (clock() - begin) / len(rows)
