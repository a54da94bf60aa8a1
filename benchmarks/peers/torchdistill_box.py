"""torchdistill: its DistillationBox and KDLoss as in its recipes; the teacher is asked at every step."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import torch
import torchvision_operators  # noqa: F401  (before torchdistill)
from task import EPOCHS, MAX_GRADIENT, Clock, OnlineTeacher, Student, Task, collate
from torchdistill.core.distillation import DistillationBox
from torchdistill.datasets.registry import register_collate_func


class Rows(torch.utils.data.Dataset[Any]):
    """The rows, as torchdistill wants a data set."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> dict[str, Any]:
        return self.rows[at]


@register_collate_func
def batch_and_labels(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """A batch as torchdistill wants it: what the models take, and the labels."""
    batch = collate(rows)
    return batch, batch.pop("labels")


def configuration(task: Task, clock: Clock) -> dict[str, Any]:
    """What a recipe's YAML file would say under `train`."""
    logits = {"student_module_path": ".", "student_module_io": "output"}
    logits |= {"teacher_module_path": ".", "teacher_module_io": "output"}
    settings = {"temperature": task.temperature, "alpha": task.hard_weight}
    loss = {"key": "KDLoss", "kwargs": logits | settings}
    return {
        "num_epochs": EPOCHS,
        "train_data_loader": {
            "dataset_id": "train",
            "requires_supp": False,
            "sampler": {"class_or_func": torch.utils.data.RandomSampler, "kwargs": {}},
            "collate_fn": batch_and_labels.__name__,
            "kwargs": {"batch_size": task.batch},
        },
        "teacher": {"forward_proc": "forward_batch_only_as_kwargs", "requires_grad": False},
        "student": {"forward_proc": "forward_batch_only_as_kwargs", "requires_grad": True},
        "optimizer": {
            "key": "AdamW",
            "kwargs": {"lr": task.learning_rate, "fused": True},
            "max_grad_norm": MAX_GRADIENT,
        },
        "scheduler": {"key": "LambdaLR", "kwargs": {"lr_lambda": clock.factor}, "scheduling_step": 1},
        "criterion": {
            "key": "WeightedSumLoss",
            "kwargs": {"sub_terms": {"kd": {"criterion": loss, "weight": 1.0}}},
        },
    }


def train(box: DistillationBox, clock: Clock) -> int:
    """Steps that were made in the time."""
    steps = 0
    for epoch in range(EPOCHS):
        box.pre_epoch_process(epoch=epoch)
        for batch, targets in box.train_data_loader:
            box.post_forward_process(loss=box.forward_process(batch, targets, None))
            steps += 1
            if clock.over:
                return steps
        box.post_epoch_process()
    return steps


def main(folder: str) -> None:
    """Train for as long as the task says."""
    task = Task.read(folder)
    model, teacher = Student(task), OnlineTeacher(task)
    rows = {"train": Rows(task.training_rows())}
    clock = Clock(task.seconds)
    box = DistillationBox(
        teacher, model, rows, configuration(task, clock), torch.device("cpu"), None, False, 1
    )
    steps = train(box, clock)
    task.judge(model, steps=steps, seconds=clock.spent)


if __name__ == "__main__":
    main(sys.argv[1])
