"""heartcut: its encoder student on the teacher's distributions, asked once; the best epoch is kept.

It trains for whole epochs and knows no clock: one epoch is timed beforehand, at nobody's cost.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import transformers
from heartcut.config import EncoderParams, EncoderStudentConfig
from heartcut.students.base import TrainingData, set_seed
from heartcut.students.encoder import EncoderStudent
from task import WARMUP, Clock, OnlineTeacher, Student, Task, answers

VALIDATION = 10
"""Every tenth text chooses the epoch."""


def training_data(task: Task, logits: torch.Tensor) -> TrainingData:
    """The teacher's answers, split."""
    held = np.arange(len(task.texts)) % VALIDATION == 0
    said = logits.argmax(dim=1).numpy()
    texts = np.array(task.texts, dtype=object)
    return TrainingData(
        texts=texts[~held].tolist(),
        targets=said[~held],
        val_texts=texts[held].tolist(),
        val_targets=said[held],
        soft_targets=torch.softmax(logits, dim=1).numpy()[~held],
    )


def fitted(task: Task, data: TrainingData, start: str, epochs: int) -> EncoderStudent:
    """A student trained for as many epochs, from the weights in a folder."""
    params = EncoderParams(
        model_name=start,
        max_length=task.max_length,
        epochs=epochs,
        batch_size=task.batch,
        learning_rate=task.learning_rate,
        warmup_ratio=WARMUP,
        kd_alpha=1 - task.hard_weight,
        kd_temperature=task.temperature,
        early_stopping_patience=epochs,
    )
    student = EncoderStudent(
        EncoderStudentConfig(name="student", use_soft_labels=True, params=params), task.labels
    )
    set_seed(task.seed)
    student.fit(data, task.seed)
    return student


def main(folder: str) -> None:
    """Ask the teacher, then train for as many epochs as the rest of the time allows."""
    task = Task.read(folder)
    start = str(task.folder / "start")
    Student(task).inner.save_pretrained(start)
    transformers.AutoTokenizer.from_pretrained(task.student).save_pretrained(start)
    teacher = OnlineTeacher(task)
    encoded = task.encode(task.teacher, task.texts)
    clock = Clock(task.seconds)
    data = training_data(task, torch.cat(answers(teacher, encoded, "teacher_")))
    asking = clock.spent
    fitted(task, data, start, 1)
    epochs = max(1, round((task.seconds - asking) / (clock.spent - asking)))
    clock = Clock(task.seconds)
    student = fitted(task, data, start, epochs)
    spent = clock.spent + asking
    found = student.predict_proba(task.holdout).argmax(axis=1).tolist()
    params = sum(weights.numel() for weights in student.model.parameters())
    task.write(found, params=params, steps=epochs * -(-len(data.texts) // task.batch), seconds=spent)


if __name__ == "__main__":
    main(sys.argv[1])
