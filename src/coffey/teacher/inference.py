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


Forward = Callable[[Ids, Ids], Array]
"""`(input_ids, attention_mask)`, int64 [b, t], to float32 [b, width]. A failure is a RuntimeError."""


def run_texts(
    source: str, forward: Forward, texts: Sequence[str], *, tokens: Tokens, batch_size: int
) -> Array:
    """What `forward` says, float32 [texts, width], of every text; row i belongs to text i.

    Raises:
        TeacherUnavailable: the network failed (out of memory, for example).
    """
    rows: list[Array] = []
    positions: list[npt.NDArray[np.int64]] = []
    try:
        for at, ids, mask in tokens.batches(texts, size=batch_size):
            rows.append(forward(ids, mask))
            positions.append(at)
    except RuntimeError as exc:
        raise TeacherUnavailable(source, f"its network failed ({exc})") from exc
    if not rows:
        return np.empty((0, 0), dtype=np.float32)
    joined = np.concatenate(rows)
    answer = np.empty_like(joined)
    answer[np.concatenate(positions)] = joined
    return answer


def on_torch(
    network: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    *,
    threads: int | None,
    device: torch.device,
) -> Forward:
    """`network`, which is on `device`, on `threads` CPU threads (all that this process may use when None)."""

    def forward(ids: Ids, mask: Ids) -> Array:
        with using_threads(threads), torch.inference_mode():
            out = network(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            said: Array = out.float().cpu().numpy()
            return said

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
