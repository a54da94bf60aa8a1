"""TextBrewer: its distiller for logits, with the teacher's logits cached as it offers."""

from __future__ import annotations

import sys
from typing import Any

import torch
from task import EPOCHS, MAX_GRADIENT, Clock, OnlineTeacher, Student, Task, collate
from textbrewer import BasicDistiller, DistillationConfig, TrainingConfig


class TimeUp(Exception):
    """Ends a training that knows only epochs."""


def adapt(batch: dict[str, torch.Tensor], output: torch.Tensor) -> dict[str, Any]:
    """What TextBrewer calls an adaptor: where the logits and the labels are."""
    return {"logits": (output,), "labels": (batch["labels"],)}


class TimedSchedule(torch.optim.lr_scheduler.LambdaLR):
    """The learning rate's course, which also ends the training."""

    def __init__(self, optimizer: torch.optim.Optimizer, clock: Clock) -> None:
        self.clock, self.steps = clock, -1  # the base class makes one step when it is built
        super().__init__(optimizer, clock.factor)

    def step(self, epoch: int | None = None) -> None:
        """After every optimizer step."""
        super().step(epoch)
        self.steps += 1
        if self.clock.over:
            raise TimeUp


def main(folder: str) -> None:
    """Train for as long as the task says."""
    task = Task.read(folder)
    model, teacher = Student(task), OnlineTeacher(task)
    loader = torch.utils.data.DataLoader(
        task.training_rows(),  # type: ignore[arg-type]
        batch_size=task.batch,
        shuffle=True,
        collate_fn=collate,
    )
    distiller = BasicDistiller(
        TrainingConfig(device="cpu", output_dir=str(task.folder), ckpt_epoch_frequency=EPOCHS),
        DistillationConfig(
            temperature=task.temperature,
            kd_loss_type="ce",
            kd_loss_weight=(1 - task.hard_weight) * task.temperature**2,
            hard_label_weight=task.hard_weight,
            is_caching_logits=True,
        ),
        teacher,
        model,
        adapt,
        adapt,
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.learning_rate, fused=True)
    clock = Clock(task.seconds)
    schedule = TimedSchedule(optimizer, clock)
    try:
        with distiller:
            distiller.train(optimizer, loader, EPOCHS, scheduler=schedule, max_grad_norm=MAX_GRADIENT)
    except TimeUp:
        pass
    task.judge(model, steps=schedule.steps, seconds=clock.spent)


if __name__ == "__main__":
    main(sys.argv[1])
