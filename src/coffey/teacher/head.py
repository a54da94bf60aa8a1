"""A linear classification head over frozen sentence embeddings: fitted, saved, loaded.

File format 1: safetensors with `weight` float32 [labels, width] and `bias` float32 [labels]; metadata
`coffey.head` = "1" and `labels` = JSON list of the names, in the order of the rows. Format 2 is the same for
independent labels: each logit goes through a sigmoid of its own, where those of format 1 share a softmax.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy
import torch

from coffey.core.errors import ConfigError, HeadNotConverged, Problem, UnknownFormat
from coffey.core.files import write_atomic

Array = npt.NDArray[np.float32]

FORMAT = "1"
INDEPENDENT_FORMAT = "2"
L2 = 1e-5
"""scikit-learn's C = 20 at 5,000 examples (its objective divided by C n): embeddings of length 1 need a
weaker pull than its default C = 1, which assumes features of variance 1."""
_GRADIENT = 1e-6
"""Largest gradient component at which a fit counts as converged: its logits are then exact to about 1e-4."""


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer from embeddings to labels."""

    weight: Array
    """float32 [labels, width]"""
    bias: Array
    """float32 [labels]"""
    labels: tuple[str, ...]
    independent: bool = False
    """Whether every label has a probability of its own (a multi-label task)."""

    def linear(self) -> torch.nn.Linear:
        """The same as a torch layer."""
        layer = torch.nn.Linear(self.weight.shape[1], self.weight.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(self.weight))
            layer.bias.copy_(torch.from_numpy(self.bias))
        return layer.eval()


def fit_head(
    embeddings: Array,
    targets: npt.NDArray[np.integer],
    *,
    classes: Sequence[str],
    l2: float = L2,
    seed: int = 0,
) -> Head:
    """The head that minimizes mean cross-entropy + l2/2 · ‖weight‖² (the bias is free).

    Multinomial logistic regression (Bishop 2006, section 4.3.4), solved in float64 by L-BFGS with strong
    Wolfe line search (Nocedal and Wright 2006, chapters 3 and 7). The problem is strictly convex in the
    weights, so `seed`, which draws the starting point, does not decide the outcome.

    Args:
        embeddings: float32 [n, width].
        targets: integers [n], positions in `classes`.
        classes: names of the labels.
        l2: strength of the pull towards 0.
        seed: of the starting point.

    Raises:
        ValueError: shapes, or targets that are not positions in `classes`.
        HeadNotConverged: the gradient is not close to 0 after 2,000 iterations.
    """
    if embeddings.ndim != 2 or targets.shape != (len(embeddings),) or not len(targets):
        raise ValueError(f"embeddings {embeddings.shape} do not fit targets {targets.shape}")
    if targets.min() < 0 or targets.max() >= len(classes):
        raise ValueError(f"targets from {targets.min()} to {targets.max()} for {len(classes)} classes")
    goal = torch.from_numpy(targets.astype(np.int64))

    def fit(logits: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(logits, goal)

    weight, bias = _fitted(embeddings, fit, len(classes), l2=l2, seed=seed)
    centred = bias - bias.mean()  # a constant added to all logits changes nothing
    return Head(weight.astype(np.float32), centred.astype(np.float32), tuple(classes))


def fit_independent_head(
    embeddings: Array,
    targets: npt.NDArray[np.integer],
    *,
    classes: Sequence[str],
    l2: float = L2,
    seed: int = 0,
) -> Head:
    """A logistic regression a label: the head that minimizes, summed over labels, as `fit_head` does for one.

    Args:
        embeddings: float32 [n, width].
        targets: [n, classes], 1 where a label applies and 0 where it does not.
        classes: names of the labels.
        l2: strength of the pull towards 0.
        seed: of the starting point.

    Raises:
        ValueError: shapes, or targets that are neither 0 nor 1.
        HeadNotConverged: the gradient is not close to 0 after 2,000 iterations.
    """
    if embeddings.ndim != 2 or targets.shape != (len(embeddings), len(classes)) or not len(targets):
        raise ValueError(f"embeddings {embeddings.shape} and {len(classes)} classes: targets {targets.shape}")
    if not np.isin(targets, (0, 1)).all():
        raise ValueError("targets: expected 0 and 1 only")
    goal = torch.from_numpy(targets.astype(np.float64))

    def fit(logits: torch.Tensor) -> torch.Tensor:
        each = torch.nn.functional.binary_cross_entropy_with_logits(logits, goal, reduction="none")
        return each.sum(dim=1).mean()

    weight, bias = _fitted(embeddings, fit, len(classes), l2=l2, seed=seed)
    return Head(weight.astype(np.float32), bias.astype(np.float32), tuple(classes), independent=True)


def save_head(path: Path, head: Head) -> None:
    """Write a head; the file appears whole.

    Raises:
        StoreUnavailable: the disk is full, or the like.
    """
    number = INDEPENDENT_FORMAT if head.independent else FORMAT
    metadata = {"coffey.head": number, "labels": json.dumps(list(head.labels), ensure_ascii=False)}
    write_atomic(path, safetensors.numpy.save({"weight": head.weight, "bias": head.bias}, metadata=metadata))


def load_head(path: Path) -> Head:
    """Read a head.

    Raises:
        ConfigError: there is no such file, or it is not a head.
        UnknownFormat: a later version wrote it.
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if "coffey.head" not in metadata:
                raise ValueError("no 'coffey.head' in its metadata")
            number = metadata["coffey.head"]
            if number not in (FORMAT, INDEPENDENT_FORMAT):
                raise UnknownFormat(str(path), number, [int(FORMAT), int(INDEPENDENT_FORMAT)])
            weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
        labels = tuple(str(name) for name in json.loads(metadata["labels"]))
        if weight.ndim != 2 or bias.shape != (len(labels),) or len(weight) != len(labels):
            raise ValueError(f"weight {weight.shape} and bias {bias.shape} for {len(labels)} labels")
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as exc:
        expected = f"a head written by coffey.teacher.head.save_head ({exc})"
        raise ConfigError(str(path), [Problem("teacher.head", str(path), expected)]) from exc
    return Head(
        weight.astype(np.float32), bias.astype(np.float32), labels, independent=number == INDEPENDENT_FORMAT
    )


def _fitted(
    embeddings: Array, fit: Callable[[torch.Tensor], torch.Tensor], classes: int, *, l2: float, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Weight and bias that minimize `fit` of the logits + l2/2 · ‖weight‖²."""
    features = torch.from_numpy(embeddings.astype(np.float64))
    draw = torch.Generator().manual_seed(seed)
    weight = 1e-3 * torch.randn((classes, features.shape[1]), generator=draw, dtype=torch.float64)
    bias = torch.zeros(classes, dtype=torch.float64)
    _minimize(features, fit, weight.requires_grad_(), bias.requires_grad_(), l2)
    return weight.detach().numpy(), bias.detach().numpy()


def _minimize(
    features: torch.Tensor,
    fit: Callable[[torch.Tensor], torch.Tensor],
    weight: torch.Tensor,
    bias: torch.Tensor,
    l2: float,
) -> None:
    solver = torch.optim.LBFGS(
        [weight, bias],
        max_iter=2000,
        tolerance_grad=_GRADIENT / 10,
        tolerance_change=0,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def loss() -> torch.Tensor:
        solver.zero_grad()
        total = fit(features @ weight.T + bias) + 0.5 * l2 * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(loss)  # type: ignore[no-untyped-call]
    loss()
    largest = max(float(part.grad.abs().max()) for part in (weight, bias) if part.grad is not None)
    if not largest <= _GRADIENT:
        raise HeadNotConverged(largest, _GRADIENT, l2)
