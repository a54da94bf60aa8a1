"""The student of an artifact, as any server would run it: tokenizer, ONNX Runtime on one thread, softmax.

The scripts beside it run in environments of their own, without Coffey.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer


class Student:
    """Answers one text at a time."""

    def __init__(self, artifact: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(artifact / "model.onnx", options)
        self._tokenizer = Tokenizer.from_file(str(artifact / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(json.loads((artifact / "manifest.json").read_text())["max_length"])
        self._labels = json.loads((artifact / "labels.json").read_text())

    def predict(self, text: str) -> dict[str, object]:
        """Its most probable label."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        (logits,) = self._session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        power = np.exp(logits[0] - logits[0].max())
        best = int(power.argmax())
        return {"label": self._labels[best], "score": float(power[best] / power.sum())}
