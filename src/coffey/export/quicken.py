"""A teacher's network on ONNX Runtime, where that says the same as torch and says it sooner: for labelling.

The graph stays as it was traced. ONNX Runtime's fused operators (`fuse`) suit single texts; over batches its
fused layer norm and attention were slower than the plain ones, by a tenth in all.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from coffey.artifact.runtime import SESSION_ERRORS, open_session
from coffey.core.clock import monotonic
from coffey.core.errors import ArtifactError
from coffey.core.files import write_atomic
from coffey.core.ids import canonical_json, digest_bytes, digest_json
from coffey.core.progress import Progress
from coffey.export.onnx import OPSET, OUTPUTS, write_onnx
from coffey.export.teacher import NetworkTeacher
from coffey.teacher.inference import Forward, Outputs, usable_cores
from coffey.teacher.tokens import Ids

LARGEST_DIFFERENCE = 2e-4
"""Of a logit. Softmax and sigmoid halve it at least, so no probability differs by more than 1e-4: what
`Teacher` calls noise, and a tenth of what `LabelStore.recheck` tolerates. The features, which logits are a
linear map of, are kept in float16, whose rounding is coarser."""

LARGEST_BYTES = 1 << 31
"""Of one ONNX file: protobuf's limit."""

_ROUNDS = 3
_SHAPES = ((1, 3), (8, 32), (4, 128))
"""Batches that both are compared on, [texts, tokens]: short, usual and long; the second is timed too."""

_UNTRACEABLE = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArtifactError)
"""What tracing somebody else's network raises where it does not work; nothing else is done within."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a teacher's answers are computed with, noted in the store so that every run uses the same.

    Another runtime changes the last bits of an answer, never more than `LARGEST_DIFFERENCE` of a logit: so it
    is no part of the fingerprint, but a labelling run that goes on after a kill goes on with the same.
    """

    runtime: Literal["torch", "onnxruntime"]
    reason: str
    difference: float | None = None
    """Largest absolute difference of a logit between the two."""
    torch_ms: float | None = None
    onnxruntime_ms: float | None = None
    """Of one batch of 8 texts of 32 tokens, in turns with `torch_ms`; each the least of a few."""
    graph: str | None = None
    """SHA-256 of the graph, if it was chosen."""


class Quickener:
    """Chooses once for each teacher, and keeps choice and graph in `folder`; a `checkpoint.Quicken`.

    Args:
        folder: of the store.
        threads: CPU threads while the teacher answers; all that this process may use when None.
        progress: hears about the choice.
    """

    def __init__(self, folder: Path, threads: int | None, progress: Progress) -> None:
        self._folder = folder
        self._threads = threads or usable_cores()
        self._progress = progress

    def __call__(self, teacher: NetworkTeacher, own: Forward) -> Forward:
        """`own`, the network in torch, or the graph on ONNX Runtime.

        Raises:
            StoreUnavailable: the store cannot be written.
        """
        note = self._folder / f"{_key(teacher)}.json"
        return self._kept(note, own) or self._chosen(note, teacher, own)

    def _kept(self, note: Path, own: Forward) -> Forward | None:
        try:
            choice = Choice(**json.loads(note.read_bytes()))
            if choice.graph is None:
                return own
            graph = self._graph(choice.graph).read_bytes()
            return on_onnxruntime(graph, self._threads) if digest_bytes(graph) == choice.graph else None
        except (OSError, ValueError, TypeError, ArtifactError):
            return None  # never chosen, or damaged since: chosen anew

    def _chosen(self, note: Path, teacher: NetworkTeacher, own: Forward) -> Forward:
        self._progress.say(f"Comparing torch with ONNX Runtime for {teacher.source}, once.")
        choice, forward, graph = _compared(teacher, own, self._threads)
        if choice.graph is not None:
            write_atomic(self._graph(choice.graph), graph)
        write_atomic(note, canonical_json(asdict(choice)))
        self._progress.say(f"The teacher answers with {choice.runtime}: {choice.reason}.")
        return forward

    def _graph(self, digest: str) -> Path:
        return self._folder / f"{digest[:32]}.onnx"


def on_onnxruntime(graph: bytes, threads: int) -> Forward:
    """Logits and features of a graph on `threads` CPU threads; idle ones sleep: others may need the cores.

    Raises:
        ArtifactError: ONNX Runtime cannot run it.
    """
    session = open_session(graph, threads=threads)

    def forward(ids: Ids, mask: Ids) -> Outputs:
        try:
            return tuple(session.run(OUTPUTS, {"input_ids": ids, "attention_mask": mask}))
        except SESSION_ERRORS as exc:
            raise RuntimeError(str(exc)) from exc

    return forward


def _key(teacher: NetworkTeacher) -> str:
    """Names a choice by everything that decides the bits of an answer."""
    libraries = {name: metadata.version(name) for name in ("torch", "transformers", "onnxruntime")}
    return digest_json([teacher.fingerprint, OPSET, libraries])[:32]


def _compared(teacher: NetworkTeacher, own: Forward, threads: int) -> tuple[Choice, Forward, bytes]:
    """The choice, what to answer with, and the graph if there is one."""
    module = teacher.module()
    if 4 * sum(weight.numel() for weight in module.parameters()) >= LARGEST_BYTES:
        return _torch("its graph would be over 2 GiB"), own, b""
    try:
        graph = _traced(module, teacher.max_length)
        other = on_onnxruntime(graph, threads)
        batches = _batches(teacher.tokenizer().get_vocab_size(), teacher.max_length)
        difference = max(float(np.abs(own(*batch)[0] - other(*batch)[0]).max()) for batch in batches)
    except _UNTRACEABLE as exc:
        return _torch(f"its graph fails ({type(exc).__name__})"), own, b""
    if not difference <= LARGEST_DIFFERENCE:
        return _torch(f"ONNX Runtime's logits differ by {difference:.1g}"), own, b""
    choice = _faster(own, other, batches[1], difference, digest_bytes(graph))
    return choice, own if choice.graph is None else other, graph


def _torch(reason: str) -> Choice:
    return Choice(runtime="torch", reason=reason)


def _traced(module: torch.nn.Module, max_length: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="coffey-teacher-") as scratch:
        path = Path(scratch, "graph.onnx")
        write_onnx(module, path, max_length=max_length)
        return path.read_bytes()


def _faster(own: Forward, other: Forward, batch: tuple[Ids, Ids], difference: float, graph: str) -> Choice:
    times = np.array([[_ms(way, batch) for way in (own, other)] for _ in range(_ROUNDS)])
    torch_ms, onnxruntime_ms = (float(value) for value in times.min(axis=0))
    quicker = onnxruntime_ms < torch_ms
    return Choice(
        runtime="onnxruntime" if quicker else "torch",
        reason=f"a batch takes {onnxruntime_ms:.1f} ms with ONNX Runtime, {torch_ms:.1f} ms with torch",
        difference=difference,
        torch_ms=torch_ms,
        onnxruntime_ms=onnxruntime_ms,
        graph=graph if quicker else None,
    )


def _batches(vocabulary: int, max_length: int) -> list[tuple[Ids, Ids]]:
    """Random tokens, each text of another length, padded on the right with what the mask leaves out."""
    rng = np.random.default_rng(0)
    made: list[tuple[Ids, Ids]] = []
    for texts, tokens in _SHAPES:
        width = min(tokens, max_length)
        lengths = np.linspace(width, 1 + width // 2, texts).astype(np.int64)
        mask = (np.arange(width) < lengths[:, None]).astype(np.int64)
        made.append((rng.integers(2, vocabulary, (texts, width)), mask))
    return made


def _ms(forward: Forward, batch: tuple[Ids, Ids]) -> float:
    begin = monotonic()
    forward(*batch)
    return 1000 * (monotonic() - begin)
