"""A tiny real model (mean of word vectors, one matrix) as ONNX, its tokenizer, keys and a signed artifact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from coffey.artifact.manifest import (
    LABELS,
    MODEL,
    TOKENIZER,
    Expected,
    Lineage,
    Manifest,
    Quantization,
    StageEntry,
    VariantEntry,
)
from coffey.artifact.runtime import Runtime
from coffey.artifact.signing import Signer, Trust
from coffey.artifact.write import write_artifact
from coffey.core.records import Interval, Quality

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "play", "stop", "the", "music", "now", "please"]
NAMES = ("play", "stop", "other")
WIDTH = 8
MAX_LENGTH = 16


def make_tokenizer(special: bool = True) -> bytes:
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    if special:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    return tokenizer.to_str().encode()


def make_model(seed: int = 0) -> bytes:
    rng = np.random.default_rng(seed)
    weights = {
        "vectors": rng.normal(size=(len(WORDS), WIDTH)).astype(np.float32),
        "matrix": (3 * rng.normal(size=(WIDTH, len(NAMES)))).astype(np.float32),
        "last": np.array([2], dtype=np.int64),
        "tokens": np.array([1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["vectors", "input_ids"], ["looked"]),
        helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["real", "last"], ["weight"]),
        helper.make_node("Mul", ["looked", "weight"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "tokens"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["weight", "tokens"], ["count"], keepdims=0),
        helper.make_node("Div", ["sum", "count"], ["features"]),
        helper.make_node("MatMul", ["features", "matrix"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(n, TensorProto.INT64, ["b", "t"])
            for n in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", len(NAMES)]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["b", WIDTH]),
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def make_runtime(**changes: object) -> Runtime:
    arguments = {
        "model": make_model(),
        "tokenizer": make_tokenizer(),
        "labels": NAMES,
        "max_length": MAX_LENGTH,
    }
    return Runtime(**{**arguments, **changes})


def make_files() -> dict[str, bytes]:
    return {MODEL: make_model(), TOKENIZER: make_tokenizer(), LABELS: json.dumps(NAMES).encode()}


def make_manifest(**changes: object) -> Manifest:
    share = Interval(0.95, 0.93, 0.97, 0.95, "wilson")
    variant = VariantEntry(
        name="fp32", bytes=1, agreement=1.0, largest_difference=0.0, p50_ms=0.1, verdict="ships"
    )
    stage = StageEntry(name="2M", params=104, taught_by=("teacher",), validation_agreement=0.9)
    texts = ("play the music", "stop now", "")
    answers = make_runtime()
    fields = {
        "name": "tiny",
        "task": "text-classification",
        "labels": len(NAMES),
        "max_length": MAX_LENGTH,
        "files": {},
        "params": 104,
        "params_without_embeddings": 24,
        "lineage": Lineage(
            teacher="f" * 64,
            teacher_source="somewhere",
            teacher_params=None,
            label_digest="d" * 64,
            created="2026-01-01T00:00:00.000Z",
            stages=(stage,),
        ),
        "quality": Quality(500, share, 500, share, share, share),
        "quantization": Quantization(variant="fp32", parity_texts=500, variants=(variant,)),
        "examples": tuple(Expected(t, tuple(map(float, answers.predict([t])[0]))) for t in texts),
    }
    return Manifest(**{**fields, **changes})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def signer(keys: Path) -> Signer:
    return Signer.open(keys)


@pytest.fixture
def trust(keys: Path, signer: Signer) -> Trust:
    return Trust.of(keys)


@pytest.fixture
def artifact(tmp_path: Path, signer: Signer) -> Path:
    return write_artifact(tmp_path / "artifacts", make_manifest(), make_files(), signer)


@pytest.fixture
def tiny():
    """The makers, for tests that need a variation."""

    class Makers:
        model = staticmethod(make_model)
        tokenizer = staticmethod(make_tokenizer)
        runtime = staticmethod(make_runtime)
        files = staticmethod(make_files)
        manifest = staticmethod(make_manifest)
        labels = NAMES
        max_length = MAX_LENGTH

    return Makers
