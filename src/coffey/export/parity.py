"""Parity: does an exported model say what the trained module says?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from coffey.artifact.encoding import Encoded
from coffey.artifact.runtime import BATCH
from coffey.stats.scoring import ONE_LABEL, Scoring

Probabilities = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Parity:
    """Two models' answers to the same texts, side by side."""

    texts: int
    agreement: float
    """Mean score of the answers: with one label a text, the share that get the same."""
    largest_difference: float
    """Largest absolute difference of a probability."""


def compare(reference: Probabilities, other: Probabilities, scoring: Scoring = ONE_LABEL) -> Parity:
    """Compare two arrays of probabilities [n, labels] about the same n texts.

    Raises:
        ValueError: the shapes differ, or n is 0.

    >>> compare(np.array([[0.9, 0.1]]), np.array([[0.8, 0.2]])).agreement
    1.0
    """
    if reference.shape != other.shape or reference.ndim != 2 or not len(reference):
        raise ValueError(f"shapes {reference.shape} and {other.shape}: expected two equal [n, labels], n > 0")
    same = scoring.score(scoring.answers(other), scoring.answers(reference))
    return Parity(len(same), float(same.mean()), float(np.abs(reference - other).max()))


def torch_probabilities(
    module: torch.nn.Module,
    encode: Callable[[Sequence[str]], Encoded],
    texts: Sequence[str],
    scoring: Scoring = ONE_LABEL,
) -> npt.NDArray[np.float32]:
    """Probabilities [n, labels] of the torch module itself, in evaluation mode on its own device."""
    training = module.training
    place = next((weight.device for weight in module.parameters()), torch.device("cpu"))
    order = np.argsort([len(text) for text in texts], kind="stable")
    answers: dict[int, npt.NDArray[np.float32]] = {}
    module.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                batch = encode([texts[i] for i in rows])
                ids, mask = torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)
                logits = module(ids.to(place), mask.to(place))[0].float().cpu().numpy()
                answers.update(zip(rows.tolist(), scoring.probabilities(logits), strict=True))
    finally:
        module.train(training)
    return np.stack([answers[i] for i in range(len(texts))])
