"""A static student's answer to one text without ONNX Runtime: look-ups, a sum, and a small head.

Of so small a graph most of ONNX Runtime's time goes into calling it: three gathers and a dozen nodes of a few
numbers each. Several texts at once are its business, since there it has something to compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from coffey.artifact.tensors import read_tensors
from coffey.core.clock import monotonic

Matrix = npt.NDArray[np.float32]

LARGEST_DIFFERENCE = 1e-4
"""Of a logit, from ONNX Runtime's; no probability then differs by more than half of that."""
_TOKENS, _LOG_WEIGHTS = "tokens.weight", "log_weights.weight"
_LEVELS, _SCALES = f"{_TOKENS}_int8", f"{_TOKENS}_scale"
_HEADS = (("hidden.weight", "hidden.bias"), ("classifier.weight", "classifier.bias"))
_TEXT_TOKENS = 32
"""Of the texts that both are asked."""
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class StaticNetwork:
    """The arithmetic of `students.static` on one text."""

    table: Matrix
    """[vocabulary, width + 1]: each token's vector times its weight, and the weight."""
    head: tuple[tuple[Matrix, Matrix], ...]
    """Each layer's matrix [in, out] and bias [out]; a ReLU between layers."""

    def logits(self, ids: npt.NDArray[np.int64]) -> Matrix:
        """Logits [1, labels] of the tokens [t], at least one.

        `einsum` keeps to this thread: a BLAS starts others for a head of some 10,000 numbers, which then wait
        for one core.
        """
        total = np.add.reduce(self.table.take(ids, axis=0), axis=0)
        found = total[:-1] / total[-1]
        for matrix, bias in self.head[:-1]:
            found = np.maximum(np.einsum("i,ij->j", found, matrix) + bias, 0)
        matrix, bias = self.head[-1]
        return np.asarray((np.einsum("i,ij->j", found, matrix) + bias)[None])


def quicker_than(session: ort.InferenceSession, model: bytes) -> StaticNetwork | None:
    """The graph as a static network, where it is one, answers alike for every token, and sooner here."""
    network = read_static(model)
    if network is None or not _is_alike(network, session):
        return None
    own, other = _seconds(network, session)
    return network if own < other else None


def read_static(model: bytes) -> StaticNetwork | None:
    """The weights of a graph that has those of a static student and no others, else None."""
    try:
        tensors = {name: tensor for name, tensor in read_tensors(model).items() if tensor.ndim}
        if _LEVELS in tensors and _SCALES in tensors:
            tensors[_TOKENS] = tensors.pop(_LEVELS) * tensors.pop(_SCALES)
    except ValueError:
        return None
    layers = [pair for pair in _HEADS if pair[0] in tensors]
    wanted = {_TOKENS, _LOG_WEIGHTS, *(name for pair in layers for name in pair)}
    if set(tensors) != wanted or _HEADS[-1] not in layers:
        return None
    tokens, weights = tensors[_TOKENS], np.exp(tensors[_LOG_WEIGHTS])
    head = tuple((np.ascontiguousarray(tensors[matrix].T), tensors[bias]) for matrix, bias in layers)
    if tokens.ndim != 2 or weights.shape != (len(tokens), 1) or not _is_chain(tokens.shape[1], head):
        return None
    return StaticNetwork(np.concatenate([tokens * weights, weights], axis=1, dtype=np.float32), head)


def _is_chain(width: int, head: Sequence[tuple[Matrix, Matrix]]) -> bool:
    """Whether each layer takes what the one before gives."""
    for matrix, bias in head:
        if matrix.ndim != 2 or matrix.shape[0] != width or bias.shape != (matrix.shape[1],):
            return False
        width = matrix.shape[1]
    return True


def _is_alike(network: StaticNetwork, session: ort.InferenceSession) -> bool:
    """Whether both say the same to every token, in texts of chance, and to a text of one."""
    count = len(network.table)
    order = np.random.default_rng(0).permutation(count)
    texts = np.resize(order, (-(-count // _TEXT_TOKENS), _TEXT_TOKENS))
    for batch in (texts, texts[:1, :1]):
        found = np.concatenate([network.logits(ids) for ids in batch])
        if not np.abs(found - _ask(session, batch)).max() <= LARGEST_DIFFERENCE:
            return False
    return True


def _seconds(network: StaticNetwork, session: ort.InferenceSession) -> tuple[float, float]:
    """The least time that either took for one text, in turns."""
    ids = np.arange(_TEXT_TOKENS)[None] % len(network.table)
    times = np.empty((_ROUNDS, 2))
    for row in times:
        start = monotonic()
        network.logits(ids[0])
        between = monotonic()
        _ask(session, ids)
        row[:] = between - start, monotonic() - between
    own, other = times.min(axis=0).tolist()
    return own, other


def _ask(session: ort.InferenceSession, ids: npt.NDArray[np.int64]) -> Matrix:
    (logits,) = session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return np.asarray(logits)
