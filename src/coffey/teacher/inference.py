"""Running a network over texts: batched by length, threads set for the time of the call only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch

from coffey.core.errors import TeacherUnavailable
from coffey.teacher.tokens import Ids, Tokens

Array = npt.NDArray[np.float32]


Outputs = tuple[Array, ...]
"""What a network says of some texts, float32 [texts, …] each: a classifier's logits, then its features."""

Forward = Callable[[Ids, Ids], Outputs]
"""`(input_ids, attention_mask)`, int64 [b, t], to outputs of b rows. A failure is a RuntimeError."""


def run_texts(
    source: str, forward: Forward, texts: Sequence[str], *, tokens: Tokens, batch_size: int
) -> Outputs:
    """What `forward` says of every text, at least one; row i belongs to text i.

    Raises:
        TeacherUnavailable: the network failed (out of memory, for example).
    """
    said: list[Outputs] = []
    positions: list[npt.NDArray[np.int64]] = []
    try:
        for at, ids, mask in tokens.batches(texts, size=batch_size):
            said.append(forward(ids, mask))
            positions.append(at)
    except RuntimeError as exc:
        raise TeacherUnavailable(source, f"its network failed ({exc})") from exc
    order = np.argsort(np.concatenate(positions))
    return tuple(np.concatenate(parts)[order] for parts in zip(*said, strict=True))


def on_torch(
    network: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, ...]],
    *,
    threads: int | None,
    device: torch.device,
) -> Forward:
    """`network`, which is on `device`, on `threads` CPU threads (all that this process may use when None)."""

    def forward(ids: Ids, mask: Ids) -> Outputs:
        with using_threads(threads), torch.inference_mode():
            out = network(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            return tuple(part.float().cpu().numpy() for part in out)

    return forward


@contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """Run torch on `threads` CPU threads inside (all that this process may use when None)."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or usable_cores())
    try:
        yield
    finally:
        torch.set_num_threads(before)


def usable_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def best_device(name: str) -> torch.device:
    """The device called `name`; `auto` is the first GPU, or the CPU where there is none."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
