"""A teacher for the benchmarks: all-MiniLM-L6-v2 fine-tuned on the labels of a task, as its users would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from coffey.core.progress import Progress
from coffey.distill.batches import epoch_batches
from coffey.distill.device import seeded
from coffey.distill.schedule import learning_rate_factor
from coffey.project.demo.setup import model_folder
from coffey.teacher.quiet import quietly

LEARNING_RATE = 1e-4
WARMUP = 0.1
BATCH = 32
WEIGHT_DECAY = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How the teacher is trained."""

    epochs: int
    max_length: int
    seed: int
    """Of the new head and the order of the texts."""
    threads: int


def fine_tune(
    folder: Path,
    texts: Sequence[str],
    targets: np.ndarray,
    labels: Sequence[str],
    *,
    tuning: Tuning,
    progress: Progress,
) -> None:
    """Train all of the checkpoint, and save it with its tokenizer into `folder`.

    Args:
        folder: gets the checkpoint.
        texts: n of them.
        targets: int64 [n] for one label a text, float32 [n, labels] of 0 and 1 for several.
        labels: names, in the order of the targets.
        tuning: how it is trained.
        progress: hears every step.
    """
    several = targets.ndim == 2
    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    found = tokenizer(list(texts), truncation=True, max_length=tuning.max_length)["input_ids"]
    lengths = np.array([len(ids) for ids in found])
    steps = tuning.epochs * -(-len(texts) // BATCH)
    with seeded(tuning.seed, tuning.threads):
        with quietly():
            model = AutoModelForSequenceClassification.from_pretrained(
                model_folder(),
                num_labels=len(labels),
                id2label=dict(enumerate(labels)),
                label2id={name: index for index, name in enumerate(labels)},
                problem_type="multi_label_classification" if several else "single_label_classification",
            )
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
        )
        model.train()
        progress.start("teacher", steps, "step")
        step = 0
        for epoch in range(tuning.epochs):
            order = epoch_batches(np.arange(len(texts)), lengths, size=BATCH, seed=tuning.seed, epoch=epoch)
            for rows in order:
                factor = learning_rate_factor(step, steps=steps, warmup=WARMUP)
                for group in optimizer.param_groups:
                    group["lr"] = LEARNING_RATE * factor
                batch = tokenizer.pad({"input_ids": [found[row] for row in rows]}, return_tensors="pt")
                loss = model(**batch, labels=torch.from_numpy(targets[rows])).loss
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                step += 1
                progress.advance("teacher", 1, f"loss {float(loss.detach()):.3f}")
    progress.finish("teacher")
    with quietly():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
