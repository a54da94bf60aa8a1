"""What every peer is given (texts, teacher, student's shape, time) and what it gives back (predictions)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

EPOCHS = 1000
"""More than the time allows."""
WARMUP = 0.1
"""Share of the time in which the learning rate rises."""
MAX_GRADIENT = 1.0
"""Norm to which gradients are cut, as `transformers` and heartcut do unasked."""


@dataclass(frozen=True)
class Task:
    """A task folder as it was read; the labels of the holdout are not in it."""

    folder: Path
    texts: list[str]
    targets: list[int]
    holdout: list[str]
    labels: list[str]
    teacher: str
    student: str
    """Folder of a configuration and a tokenizer; without weights."""
    max_length: int
    params: int
    seconds: float
    """Of the processor."""
    batch: int
    learning_rate: float
    temperature: float
    hard_weight: float
    """Share of the hard labels' loss, the rest being the teacher's."""
    seed: int

    @classmethod
    def read(cls, folder: str) -> Task:
        """Read it; one thread and the seed are set."""
        found = json.loads((Path(folder) / "task.json").read_text())
        torch.set_num_threads(1)
        transformers.set_seed(found["seed"])
        return cls(folder=Path(folder), **found)

    def encode(self, source: str, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of the tokenizer in a folder."""
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        found: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=self.max_length)[
            "input_ids"
        ]
        return found

    def training_rows(self) -> list[dict[str, Any]]:
        """Every text as the student and as the teacher read it, and its label."""
        mine, teachers = (self.encode(source, self.texts) for source in (self.student, self.teacher))
        return [
            {"input_ids": one, "teacher_input_ids": other, "labels": target}
            for one, other, target in zip(mine, teachers, self.targets, strict=True)
        ]

    def write(
        self, predictions: list[int], *, params: int, steps: int | None, seconds: float, variant: str = ""
    ) -> None:
        """What the peer came to, for the judge."""
        names = [self.labels[at] for at in predictions]
        found = {"predictions": names, "params": params, "steps": steps, "train_s": seconds}
        (self.folder / f"predictions{variant}.json").write_text(json.dumps(found))

    def judge(self, model: torch.nn.Module, *, steps: int, seconds: float) -> None:
        """Write the predictions of a module that gives logits."""
        found = torch.cat(answers(model, self.encode(self.student, self.holdout))).argmax(dim=1).tolist()
        params = sum(weights.numel() for weights in model.parameters())
        self.write(found, params=params, steps=steps, seconds=seconds)


class Student(torch.nn.Module):
    """The student from random weights, as `transformers` draws them; gives logits [b, labels]."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        config = transformers.AutoConfig.from_pretrained(task.student)
        self.inner = transformers.AutoModelForSequenceClassification.from_config(config)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **more: Any) -> torch.Tensor:
        """Logits; the rest of a batch is the teacher's."""
        logits: torch.Tensor = self.inner(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


class OnlineTeacher(torch.nn.Module):
    """The teacher, which reads what its own tokenizer made of a text; gives logits [b, labels]."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.inner = transformers.AutoModelForSequenceClassification.from_pretrained(task.teacher)
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def forward(
        self, teacher_input_ids: torch.Tensor, teacher_attention_mask: torch.Tensor, **more: Any
    ) -> torch.Tensor:
        """Logits; the rest of a batch is the student's."""
        logits: torch.Tensor = self.inner(
            input_ids=teacher_input_ids, attention_mask=teacher_attention_mask
        ).logits
        return logits


def collate(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """A batch, padded to its own longest text and no further."""
    batch = {"labels": torch.tensor([row["labels"] for row in rows])}
    for owner in ("", "teacher_"):
        ids, mask = pad([row[f"{owner}input_ids"] for row in rows])
        batch |= {f"{owner}input_ids": ids, f"{owner}attention_mask": mask}
    return batch


def pad(found: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask, int64 [b, longest]; 0 is the padding of both tokenizers."""
    tensors = [torch.tensor(ids) for ids in found]
    ids = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in tensors], batch_first=True)
    return ids, mask


def answers(model: torch.nn.Module, encoded: Sequence[Sequence[int]], prefix: str = "") -> list[torch.Tensor]:
    """Logits [b, labels] of batch after batch; `prefix` of what the model calls its token ids."""
    model.eval()
    found = []
    with torch.no_grad():
        for begin in range(0, len(encoded), 64):
            ids, mask = pad(encoded[begin : begin + 64])
            found.append(model(**{f"{prefix}input_ids": ids, f"{prefix}attention_mask": mask}))
    return found


class Clock:
    """The time that may be trained for, of this process's processor; it starts when it is made.

    Waiting for a core that others use costs nobody anything.
    """

    def __init__(self, seconds: float) -> None:
        self.began = time.process_time()
        self.limit = seconds

    @property
    def spent(self) -> float:
        """Seconds."""
        return time.process_time() - self.began

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.spent >= self.limit

    def factor(self, step: int) -> float:
        """The learning rate's factor: up in the warm-up, then in a straight line to 0, whatever the step."""
        done = min(1.0, self.spent / self.limit)
        return min(1.0, done / WARMUP + 0.01, (1.0 - done) / (1.0 - WARMUP))
