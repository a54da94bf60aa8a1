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
from coffey.students.family import AnyStudent

_WARM_UP = 2
_FEWEST = 3
_ENOUGH = 12
"""Steps from which a small standard error is believed."""
_ANSWERED = 256
"""Texts of an evaluation that are timed."""


def time_step(
    student: AnyStudent,
    texts: Tokenized,
    settings: ChainSettings,
    *,
    seconds: float,
    within: float | None = None,
    clock: Clock = monotonic,
) -> float:
    """Mean seconds of a training step on batches of `texts` as training makes them, evaluation included.

    Targets are uniform: what is learned costs no time. An evaluation comes once an epoch; its share of a
    step is the time of answering as many validation texts as an epoch has for each of its steps.

    Args:
        student: its weights are changed.
        texts: a sample of the transfer set.
        settings: batch size, threads, validation share.
        seconds: how long steps are timed, at most; at least three are.
        within: steps are timed no longer once the standard error of their mean is this share of it.
        clock: seconds.
    """
    batches = epoch_batches(
        np.arange(len(texts)), texts.lengths, size=settings.batch_size, seed=settings.seed, epoch=0
    )
    whole = [batch for batch in batches if len(batch) == settings.batch_size] or batches
    with seeded(settings.seed, settings.threads):
        student.to(accelerator().device).train()
        training = _mean_step(student, texts, whole, settings, seconds, within, clock)
        evaluated = settings.batch_size * settings.validation / (1 - settings.validation)
        return training + evaluated * _answer_s(student, texts, clock)


def _mean_step(
    student: AnyStudent,
    texts: Tokenized,
    batches: list[np.ndarray],
    settings: ChainSettings,
    seconds: float,
    within: float | None,
    clock: Clock,
) -> float:
    optimizer = make_optimizer(student, settings.learning_rate)
    for turn in range(_WARM_UP):
        _step(student, optimizer, texts, batches[turn % len(batches)], settings)
    moments = [clock()]
    while len(moments) <= _FEWEST or moments[-1] - moments[0] < seconds:
        _step(student, optimizer, texts, batches[len(moments) % len(batches)], settings)
        moments.append(clock())
        if within is not None and len(moments) > _ENOUGH and _error(moments) <= within:
            break
    return (moments[-1] - moments[0]) / (len(moments) - 1)


def _error(moments: list[float]) -> float:
    """Standard error of the mean step over that mean. Lengths of batches differ, and so do their times."""
    steps = np.diff(moments)
    return float(steps.std(ddof=1) / np.sqrt(len(steps)) / steps.mean())


def _step(
    student: AnyStudent,
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


def _answer_s(student: AnyStudent, texts: Tokenized, clock: Clock) -> float:
    """Seconds to answer one text in the batches of an evaluation."""
    rows = np.arange(min(len(texts), _ANSWERED))
    begin = clock()
    answer(student, texts, rows)
    return (clock() - begin) / len(rows)
