"""A model at work: tokenizer and ONNX Runtime session over bytes that were checked before.

One text is answered by NumPy where the model is a static student (`static`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from coffey.artifact.encoding import Encoded, TextEncoder
from coffey.artifact.static import quicker_than
from coffey.core.errors import ArtifactError
from coffey.stats.scoring import ONE_LABEL, Scoring

BATCH = 32
"""Texts run at once when many are given; the serving batch (`serve.max_batch`) has the same default."""

_INPUTS = {"input_ids", "attention_mask"}
_OUTPUTS = ("logits", "features")
SESSION_ERRORS = tuple(
    getattr(ort_errors, name)
    for name in (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NotImplemented",
        "RuntimeException",
    )
)
"""What ONNX Runtime raises where it cannot load or run a graph."""
_SILENT_BELOW_ERROR = 3


@dataclass(frozen=True, slots=True)
class Answers:
    """What the model says about n texts."""

    probabilities: npt.NDArray[np.float32]
    """[n, labels]; rows sum to 1, but of a multi-label task."""
    features: npt.NDArray[np.float32]
    """[n, width]: the pooled vector before the classifier."""


class Runtime:
    """Answers texts with one model. Threads may share it: the session allows that, nothing else changes."""

    def __init__(
        self,
        *,
        model: bytes,
        tokenizer: bytes,
        labels: Sequence[str],
        max_length: int,
        threads: int = 1,
        spin: bool = False,
        scoring: Scoring = ONE_LABEL,
    ) -> None:
        """Build the session.

        Args:
            model: bytes of the ONNX graph (inputs input_ids, attention_mask; outputs logits, features).
            tokenizer: bytes of `tokenizer.json`.
            labels: names, in the order of the logits.
            max_length: tokens read of a text.
            threads: ONNX Runtime threads that work on one call.
            spin: whether idle threads burn CPU to answer sooner; of use only on a machine with nothing else.
            scoring: of the task.

        Raises:
            ArtifactError: ONNX Runtime cannot run the graph, or it has other inputs or outputs.
        """
        self.labels = tuple(labels)
        self.scoring = scoring
        self._texts = TextEncoder(tokenizer, max_length)
        self._session = open_session(model, threads=threads, spin=spin)
        self._static = quicker_than(self._session, model)

    @property
    def answers_alone(self) -> Literal["onnxruntime", "numpy"]:
        """What computes the answer to one text: NumPy for a static student, where that was quicker here."""
        return "onnxruntime" if self._static is None else "numpy"

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Token ids of n texts, in order, padded to the longest."""
        return self._texts.encode(texts)

    def probabilities(self, encoded: Encoded) -> npt.NDArray[np.float32]:
        """Probabilities [n, labels] of one batch, run at once."""
        ids = encoded.input_ids
        if self._static is not None and len(ids) == 1:
            logits = self._static.logits(ids[0])
        else:
            (logits,) = self._run(["logits"], encoded)
        return self.scoring.probabilities(logits)

    def answer(self, encoded: Encoded) -> Answers:
        """Probabilities and features of one batch, run at once."""
        logits, features = self._run(list(_OUTPUTS), encoded)
        return Answers(self.scoring.probabilities(logits), features)

    def predict(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Probabilities [n, labels] of n texts, in order; more than `BATCH` in batches of similar length."""
        if 0 < len(texts) <= BATCH:
            return self.probabilities(self.encode(texts))
        return self.answer_all(texts).probabilities

    def features(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Pooled vectors [n, width] of any number of texts, in batches of similar length."""
        return self.answer_all(texts).features

    def answer_all(self, texts: Sequence[str], *, batch: int = BATCH) -> Answers:
        """Answers to any number of texts, in their order, `batch` of similar length at a time."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        probabilities = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        features = np.empty((len(texts), 0), dtype=np.float32)
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            answers = self.answer(self.encode([texts[i] for i in rows]))
            if start == 0:
                features = np.empty((len(texts), answers.features.shape[1]), dtype=np.float32)
            probabilities[rows] = answers.probabilities
            features[rows] = answers.features
        return Answers(probabilities, features)

    def _run(self, outputs: list[str], encoded: Encoded) -> list[npt.NDArray[np.float32]]:
        feed = {"input_ids": encoded.input_ids, "attention_mask": encoded.attention_mask}
        answers: list[npt.NDArray[np.float32]] = self._session.run(outputs, feed)
        return answers


def open_session(model: bytes, *, threads: int, spin: bool = False) -> ort.InferenceSession:
    """An ONNX Runtime session on the CPU over a graph; see `Runtime` for the arguments and the errors."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _SILENT_BELOW_ERROR
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except SESSION_ERRORS as exc:
        raise ArtifactError(f"model.onnx cannot be run by onnxruntime {ort.__version__}: {exc}") from exc
    _check_graph(session)
    return session


def _check_graph(session: ort.InferenceSession) -> None:
    inputs = {item.name for item in session.get_inputs()}
    outputs = {item.name for item in session.get_outputs()}
    if inputs != _INPUTS or not outputs.issuperset(_OUTPUTS):
        raise ArtifactError(
            f"model.onnx has inputs {sorted(inputs)} and outputs {sorted(outputs)}; "
            f"expected {sorted(_INPUTS)} and {sorted(_OUTPUTS)}"
        )
