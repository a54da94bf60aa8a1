"""A plain `transformers` script: a Trainer that asks its teacher at every step."""

from __future__ import annotations

import sys
from typing import Any

import torch
import transformers
from task import EPOCHS, Clock, OnlineTeacher, Student, Task, collate


class DistillingTrainer(transformers.Trainer):
    """Kullback-Leibler divergence from the teacher beside the labels' cross-entropy."""

    def __init__(self, *args: Any, task: Task, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.task, self.teacher = task, OnlineTeacher(task)

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **more: Any) -> Any:
        """Loss of one batch: Hinton et al. 2015, section 2, with its factor T²."""
        logits, temperature = model(**inputs), self.task.temperature
        soft = torch.nn.functional.kl_div(
            torch.log_softmax(logits / temperature, dim=1),
            torch.softmax(self.teacher(**inputs) / temperature, dim=1),
            reduction="batchmean",
        )
        hard = torch.nn.functional.cross_entropy(logits, inputs["labels"])
        weight = self.task.hard_weight
        loss = (1 - weight) * temperature**2 * soft + weight * hard
        return (loss, logits) if return_outputs else loss


class OnTime(transformers.TrainerCallback):
    """Stops when the time is up."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> Any:
        """Ask for the end."""
        control.should_training_stop = self.clock.over
        return control


def main(folder: str) -> None:
    """Train for as long as the task says."""
    task = Task.read(folder)
    model, rows = Student(task), task.training_rows()
    options = transformers.TrainingArguments(
        output_dir=str(task.folder / "trainer"),
        per_device_train_batch_size=task.batch,
        train_sampling_strategy="group_by_length",
        num_train_epochs=EPOCHS,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=task.seed,
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.learning_rate, fused=True)
    clock = Clock(task.seconds)
    trainer = DistillingTrainer(
        model=model,
        args=options,
        train_dataset=rows,
        data_collator=collate,
        optimizers=(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, clock.factor)),
        callbacks=[OnTime(clock)],
        task=task,
    )
    trainer.train()
    task.judge(model, steps=trainer.state.global_step, seconds=clock.spent)


if __name__ == "__main__":
    main(sys.argv[1])
