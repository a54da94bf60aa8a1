"""Where a stage is, on disk: enough to go on as if nothing had happened, and never unpickled."""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coffey.core.errors import StoreUnavailable, UnknownFormat
from coffey.core.files import write_atomic
from coffey.students.family import AnyStudent

FORMAT = 1
"""Raised whenever a checkpoint changes; an older one is refused, its stage starts anew."""

_DAMAGED = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile and torch raise over bytes that are not what was written; nothing else is done within."""


@dataclass(slots=True)
class Position:
    """How far a stage is."""

    step: int = 0
    """Optimizer steps done."""
    epoch: int = 0
    """The epoch that is being read, from 0."""
    batch: int = 0
    """Batches of it that are done."""
    seconds: float = 0.0
    """Time spent, in all runs together."""
    tokens: int = 0
    """Tokens trained on, padding included."""
    first_loss: float = 0.0
    """Loss of the first step."""
    recent_loss: float = 0.0
    """Running mean of the loss."""
    best_agreement: float = -1.0
    best_loss: float = float("inf")
    """Validation loss beside `best_agreement`."""
    worse: int = 0
    """Evaluations since the best one."""
    stopped: bool = False
    """Whether early stopping has ended the stage."""


def save_checkpoint(
    path: Path,
    position: Position,
    student: AnyStudent,
    optimizer: torch.optim.Optimizer,
    best: dict[str, Tensor],
) -> None:
    """Write everything that the next step depends on, also torch's random state; all of it or none.

    Raises:
        StoreUnavailable: the disk is full, or the like.
    """
    cuda = list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else []
    state = {
        "format": FORMAT,
        "position": asdict(position),
        "student": student.state_dict(),
        "optimizer": optimizer.state_dict(),
        "best": best,
        "random": torch.get_rng_state(),
        "random_cuda": cuda,
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomic(path, buffer.getvalue())


def load_checkpoint(
    path: Path, student: AnyStudent, optimizer: torch.optim.Optimizer
) -> tuple[Position, dict[str, Tensor]] | None:
    """Put student, optimizer and torch's random state back; None when there is no checkpoint.

    Returns:
        The position and the best weights so far.

    Raises:
        StoreUnavailable: the file is damaged.
        UnknownFormat: another version wrote it.
    """
    if not path.exists():
        return None
    state = _read(path)
    if state["format"] != FORMAT:
        raise UnknownFormat(str(path), state["format"], [FORMAT])
    student.load_state_dict(state["student"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    if state["random_cuda"]:
        torch.cuda.set_rng_state_all(state["random_cuda"])
    return Position(**state["position"]), dict(state["best"])


def _read(path: Path) -> dict[str, Any]:
    """The file's content, its checksums (those of the zip file that torch writes) being right.

    Raises:
        StoreUnavailable: the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as file:
            wrong = file.testzip()
        if wrong is None:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            return state
        reason = f"the checksum of {wrong!r} is wrong"
    except _DAMAGED as exc:
        reason = str(exc) or type(exc).__name__
        raise StoreUnavailable(str(path), _advice(reason)) from exc
    raise StoreUnavailable(str(path), _advice(reason))


def _advice(reason: str) -> str:
    return f"damaged checkpoint ({reason}); remove it to start this stage again"
