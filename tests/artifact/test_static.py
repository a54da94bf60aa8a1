"""A static student says to one text what ONNX Runtime says, whichever of the two is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from coffey.artifact import static
from coffey.artifact.runtime import open_session
from coffey.artifact.static import quicker_than, read_static
from coffey.artifact.tensors import read_tensors
from coffey.export.fuse import fuse
from coffey.export.onnx import write_onnx
from coffey.export.quantize import quantize_embeddings
from coffey.students.static import StaticStudent
from coffey.students.static_shape import StaticShape

VOCABULARY = 300
TOLERANCE = 1e-5


def export(folder: Path, hidden: int, form: str) -> bytes:
    torch.manual_seed(hidden)
    student = StaticStudent(
        StaticShape(width=16, vocabulary=VOCABULARY, max_length=32, labels=5, hidden=hidden)
    )
    torch.nn.init.normal_(student.log_weights.weight)
    plain, path = folder / "plain.onnx", folder / f"{form}.onnx"
    write_onnx(student.eval(), plain, max_length=32)
    fuse(plain, path, embeddings=form == "fused")
    if form == "int8":
        quantize_embeddings(path, path)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["fused", "int8"])
@pytest.mark.parametrize("hidden", [0, 12])
def test_it_says_what_onnx_runtime_says(tmp_path, hidden, form):
    """Every token and texts of every length, for heads with and without a hidden layer."""
    graph = export(tmp_path, hidden, form)
    network, session = read_static(graph), open_session(graph, threads=1)
    assert network is not None
    tokens = np.random.default_rng(1).permutation(VOCABULARY)
    for length in (1, 2, 31):
        for ids in np.resize(tokens, (-(-VOCABULARY // length), length)):
            feed = {"input_ids": ids[None], "attention_mask": np.ones((1, length), np.int64)}
            (said,) = session.run(["logits"], feed)
            np.testing.assert_allclose(network.logits(ids), said, atol=TOLERANCE)


def changed(graph: bytes, change) -> bytes:
    model = onnx.load_from_string(graph)
    change(model.graph)
    return model.SerializeToString()


def test_other_arithmetic_with_the_same_weights_is_left_to_onnx_runtime(tmp_path):
    """The names of weights promise nothing: both are asked, and one that says otherwise is refused."""

    def add_twice(graph: onnx.GraphProto) -> None:
        reduce = next(node for node in graph.node if node.op_type == "Div")
        reduce.op_type = "Add"

    graph = changed(export(tmp_path, 0, "fused"), add_twice)
    assert read_static(graph) is not None
    assert quicker_than(open_session(graph, threads=1), graph) is None


def test_a_graph_with_other_weights_is_none(tmp_path, tiny):
    """Nothing is asked of a graph with a weight too many, one of another shape, or of another family."""
    graph = export(tmp_path, 0, "fused")

    def add(item: onnx.GraphProto) -> None:
        item.initializer.append(numpy_helper.from_array(np.zeros(3, np.float32), "more"))

    def cut(item: onnx.GraphProto) -> None:
        bias = next(one for one in item.initializer if one.name == "classifier.bias")
        bias.CopyFrom(numpy_helper.from_array(np.zeros(4, np.float32), bias.name))

    assert read_static(changed(graph, add)) is None
    assert read_static(changed(graph, cut)) is None
    assert read_static(tiny.model()) is None
    assert read_static(b"rubbish") is None


@pytest.mark.parametrize(("own", "other", "chosen"), [(1.0, 2.0, "numpy"), (2.0, 1.0, "onnxruntime")])
def test_the_quicker_one_answers(tmp_path, tiny, monkeypatch, own, other, chosen):
    """What is measured when the model is loaded decides, and the answers stay what they were."""
    monkeypatch.setattr(static, "_seconds", lambda network, session: (own, other))
    names = [str(number) for number in range(5)]
    runtime = tiny.runtime(model=export(tmp_path, 12, "int8"), labels=names)
    assert runtime.answers_alone == chosen
    texts = ["play the music", "stop", "", "now " * 40]
    alone = np.concatenate([runtime.predict([text]) for text in texts])
    np.testing.assert_allclose(alone, runtime.predict(texts), atol=TOLERANCE)


def test_tensors_are_what_onnx_reads(tmp_path):
    """Names, types, shapes and numbers of all float32 and int8 weights."""
    graph = export(tmp_path, 12, "int8")
    found = read_tensors(graph)
    known = {
        item.name: numpy_helper.to_array(item) for item in onnx.load_from_string(graph).graph.initializer
    }
    wanted = {name: one for name, one in known.items() if one.dtype in (np.float32, np.int8)}
    assert found.keys() == wanted.keys()
    for name, one in wanted.items():
        assert found[name].dtype == one.dtype
        np.testing.assert_array_equal(found[name], one)


@pytest.mark.parametrize("graph", [b"\x3a\x05abc", b"\x3b", b"\x80", b"\x3a\x06\x2a\x04\x0a\x02\x80\x80"])
def test_bytes_that_are_no_message_are_refused(graph):
    """A field longer than what is left, a group, numbers that do not end."""
    with pytest.raises(ValueError, match=r"byte|ends"):
        read_tensors(graph)
