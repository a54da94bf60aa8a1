"""The analytic model against measurement: encoders on this machine, decoders on the GPUs of others.

Four constants of this machine are measured apart from the models: matrix products, memory, functions of
single values, and the cost of an operator, in ONNX Runtime (which serves) and in PyTorch (which trains), one
thread each. Nothing is fitted to the models. Seconds are of the processor, which on one thread are those of
an idle machine: what neighbours take is told as `disturbance` and not counted. `--quick` takes six of the
nine shapes and shorter timings. The published rows need no machine.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.options import make_parser

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime as ort
import torch
from onnx import TensorProto, helper, numpy_helper

from coffey.bench.machine import describe_machine
from coffey.bench.versions import versions
from coffey.core.clock import Clock, monotonic
from coffey.core.settings import ChainSettings
from coffey.dashboard.plain import plain
from coffey.dashboard.progress import RichProgress
from coffey.distill.batches import Tokenized
from coffey.economics.hardware import load_catalogue
from coffey.economics.roofline import Speed, seconds
from coffey.economics.transformer import TransformerShape
from coffey.economics.transformer_time import step_seconds
from coffey.economics.transformer_work import forward_work, training_work
from coffey.export.fuse import fuse
from coffey.export.onnx import write_onnx
from coffey.probe.step import time_step
from coffey.students.encoder import Student
from coffey.students.initialization import initialize_from_scratch
from coffey.students.shape import EncoderShape

SHAPES = [(2, 128), (2, 256), (3, 320), (4, 384), (6, 384), (6, 512), (8, 512), (10, 640), (12, 768)]
QUICK_SHAPES = 6
LENGTHS = (32, 128)
BATCH, TRAINED_TOKENS = 16, 32
VOCABULARY, LABELS = 8000, 20
TARGETS = {"forward_median_error": 0.25, "training_median_error": 0.30, "published_outside_range": 0.10}
"""Upper bounds: what still tells a 2M student from a 7M one, and an afternoon from a day."""

_CLOCK: Clock = time.process_time
_ROWS, _PRODUCT = 128, 1024
"""A product whose weights (4 MiB) outgrow a core's own cache, as those of a model do between two requests.
With 512 (1 MiB, which stay there) products were a quarter faster than any model's, and forecasts too low."""
_COPIED = 64 * 2**20
_CHAIN = 200
_FLOAT_BYTES = 4.0
_OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    options = parser.parse_args()
    torch.set_num_threads(1)
    shapes = SHAPES[:QUICK_SHAPES] if options.quick else SHAPES
    begin, busy = monotonic(), _CLOCK()
    with RichProgress() as progress:
        progress.start("analytic", len(shapes), "shape")
        speeds, timed = [], []
        for layers, width in shapes:
            speeds.append(measure_speeds(0.3 if options.quick else 0.5))
            shape = EncoderShape(layers, width, width // 32, 4 * width, VOCABULARY, max(LENGTHS), LABELS)
            timed.append((shape, measure(shape, 1.0 if options.quick else 2.5)))
            progress.advance("analytic", note=f"{shape.parameters():,} parameters")
        progress.finish("analytic")
    disturbance = (monotonic() - begin) / (_CLOCK() - busy)
    here = {name: median_speed([each[name] for each in speeds]) for name in ("onnxruntime", "torch")}
    rows = [row for shape, found in timed for row in compare(shape, found, here)]
    published = list(compare_published())
    found = {
        "forward_median_error": median_error(rows, "forward"),
        "training_median_error": median_error(rows, "training"),
        "published_outside_range": float(np.mean([not row["within_range"] for row in published])),
    }
    targets = {
        name: {"value": value, "bound": TARGETS[name], "met": value <= TARGETS[name]}
        for name, value in found.items()
    }
    result = {
        "targets": targets,
        "speeds": plain(here),
        "disturbance": disturbance,
        "rows": rows,
        "published": published,
        "machine": plain(describe_machine()),
        "versions": versions(),
    }
    print(json.dumps(result))
    return 0 if all(target["met"] for target in targets.values()) else 1


def measure_speeds(duration_s: float) -> dict[str, Speed]:
    """The constants of both runtimes, from work that no model has a part in."""
    left, right = (np.ones((rows, _PRODUCT), np.float32) for rows in (_ROWS, _PRODUCT))
    flops = 2.0 * _ROWS * _PRODUCT**2
    bytes_per_s = _copied_bytes_per_s(duration_s)
    product, chain, function = _product_session(right), _chain_session(), _function_session()
    one = np.ones(1, np.float32)
    a, b, small = torch.from_numpy(left), torch.from_numpy(right), torch.ones(1)
    with torch.no_grad():
        return {
            "onnxruntime": Speed(
                flops / median_s(lambda: product.run(None, {"x": left}), duration_s),
                bytes_per_s,
                median_s(lambda: chain.run(None, {"x": one}), duration_s) / _CHAIN,
                left.size / median_s(lambda: function.run(None, {"x": left}), duration_s),
            ),
            "torch": Speed(
                flops / median_s(lambda: torch.mm(a, b), duration_s),
                bytes_per_s,
                median_s(lambda: [torch.add(small, small) for _ in range(_CHAIN)], duration_s) / _CHAIN,
                left.size / median_s(lambda: torch.nn.functional.gelu(a), duration_s),
            ),
        }


def measure(shape: EncoderShape, duration_s: float) -> dict[str, float]:
    """Median seconds of a forward pass at each length, and of a training step, of an untrained student."""
    student = Student(shape)
    initialize_from_scratch(student, seed=17)
    found = {}
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch:
        plain_graph, fused_graph = Path(scratch, "plain.onnx"), Path(scratch, "fused.onnx")
        write_onnx(student.eval(), plain_graph, max_length=shape.max_length)
        fuse(plain_graph, fused_graph)
        session = _session(fused_graph.read_bytes())
        for tokens in LENGTHS:
            ids = np.arange(tokens, dtype=np.int64)[None] % VOCABULARY
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            found[f"forward:{tokens}"] = median_s(lambda feed=feed: session.run(None, feed), duration_s)
    texts = Tokenized(
        np.zeros(BATCH * TRAINED_TOKENS, np.int32), np.arange(BATCH + 1) * TRAINED_TOKENS, padding=0
    )
    settings = ChainSettings(batch_size=BATCH, validation=0.0, threads=1)
    found["training"] = time_step(student, texts, settings, seconds=duration_s, clock=_CLOCK)
    return found


def compare(
    shape: EncoderShape, found: Mapping[str, float], speeds: Mapping[str, Speed]
) -> Iterator[dict[str, Any]]:
    """One row for each measurement of a shape."""
    alike = TransformerShape(
        layers=shape.layers,
        width=shape.width,
        heads=shape.heads,
        intermediate=shape.intermediate,
        vocabulary=shape.vocabulary,
        outputs=shape.labels,
        positions=shape.max_length,
    )
    assert alike.parameters() == shape.parameters()
    for name, measured_s in found.items():
        what, _, tokens = name.partition(":")
        if what == "forward":
            work = forward_work(alike, batch=1, tokens=int(tokens), element_bytes=_FLOAT_BYTES)
            modelled_s = seconds(work, speeds["onnxruntime"])
        else:
            step = training_work(alike, batch=BATCH, tokens=TRAINED_TOKENS, element_bytes=_FLOAT_BYTES)
            modelled_s = seconds(step, speeds["torch"])
        yield {
            "what": what,
            "shape": str(shape),
            "params": shape.parameters(),
            "batch": 1 if what == "forward" else BATCH,
            "tokens": int(tokens or TRAINED_TOKENS),
            "modelled_ms": 1000 * modelled_s,
            "measured_ms": 1000 * measured_s,
            "error": modelled_s / measured_s - 1,
        }


def compare_published() -> Iterator[dict[str, Any]]:
    """Tokens a second and GPU that others measured, beside what the catalogue's machines give."""
    data = tomllib.loads((Path(__file__).parent / "published.toml").read_text())
    catalogue = load_catalogue()
    for values in data["rows"]["values"]:
        row = dict(zip(data["rows"]["columns"], values, strict=True))
        machine, model = data["machines"][row["machine"]], data["models"][row["model"]]
        shape = TransformerShape(
            **model,
            intermediate=4 * model["width"],
            vocabulary=50368,
            outputs=50368,
            positions=row["tokens"],
            tied=True,
            per_token=True,
        )
        assert shape.parameters() == row["params"], row
        hardware = catalogue[machine["like"]]
        bandwidth = machine.get("bandwidth_gb_per_s", hardware.bandwidth.figure.value / 1e9) * 1e9
        scale = bandwidth / hardware.bandwidth.figure.value
        speeds = hardware.speeds("bf16")
        rates = {
            name: _tokens_per_s(shape, dataclasses.replace(speed, bytes_per_s=scale * speed.bytes_per_s), row)
            for name, speed in (("likely", speeds.likely), ("slow", speeds.slow), ("fast", speeds.fast))
        }
        yield {
            **row,
            "modelled_tokens_per_s": rates["likely"],
            "low": rates["slow"],
            "high": rates["fast"],
            "within_range": rates["slow"] <= row["tokens_per_s"] <= rates["fast"],
            "error": rates["likely"] / row["tokens_per_s"] - 1,
        }


def _tokens_per_s(shape: TransformerShape, speed: Speed, row: Mapping[str, Any]) -> float:
    step_s = step_seconds(
        shape,
        speed,
        micro_batch=row["micro_batch"],
        micro_batches=row["micro_batches"],
        tokens=row["tokens"],
        precision="bf16",
    )
    return float(row["micro_batch"] * row["micro_batches"] * row["tokens"] / step_s)


def median_error(rows: list[dict[str, Any]], what: str) -> float:
    """Median of the absolute relative errors of one kind."""
    return float(np.median([abs(row["error"]) for row in rows if row["what"] == what]))


def median_speed(speeds: list[Speed]) -> Speed:
    """The median of each constant."""
    return Speed(
        *(float(np.median(values)) for values in zip(*map(dataclasses.astuple, speeds), strict=True))
    )


def median_s(call: Callable[[], object], duration_s: float) -> float:
    """Median processor seconds of a call, after some that are not counted."""
    for _ in range(3):
        call()
    times, begin = [], _CLOCK()
    while len(times) < 5 or _CLOCK() - begin < duration_s:
        start = _CLOCK()
        call()
        times.append(_CLOCK() - start)
    return float(np.median(times))


def _copied_bytes_per_s(duration_s: float) -> float:
    source = np.ones(_COPIED // 4, np.float32)
    target = np.empty_like(source)
    return 2.0 * source.nbytes / median_s(lambda: np.copyto(target, source), duration_s)


def _product_session(right: np.ndarray) -> ort.InferenceSession:
    weights = numpy_helper.from_array(right, "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    return _graph_session([node], [_ROWS, _PRODUCT], [weights])


def _chain_session() -> ort.InferenceSession:
    one = numpy_helper.from_array(np.ones(1, np.float32), "w")
    names = ["x", *(f"v{i}" for i in range(_CHAIN - 1)), "y"]
    nodes = [helper.make_node("Add", [names[i], "w"], [names[i + 1]]) for i in range(_CHAIN)]
    return _graph_session(nodes, [1], [one])


def _function_session() -> ort.InferenceSession:
    node = helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")
    return _graph_session([node], [_ROWS, _PRODUCT], [])


def _graph_session(nodes: list[Any], shape: list[int], weights: list[Any]) -> ort.InferenceSession:
    inputs, outputs = ([helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name in "xy")
    graph = helper.make_graph(nodes, "micro", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=_OPSETS, ir_version=8)
    return _session(model.SerializeToString())


def _session(model: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    sys.exit(main())
