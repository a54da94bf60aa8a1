"""A teacher moves to ONNX Runtime where that says the same sooner; the choice is made once and kept."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from coffey.core.progress import Silent
from coffey.export.quicken import Quickener
from coffey.teacher.inference import on_torch

BATCH = (np.array([[2, 5, 9, 3], [2, 7, 3, 0]]), np.array([[1, 1, 1, 1], [1, 1, 1, 0]]))


class Heard(Silent):
    def __init__(self):
        self.said = []

    def say(self, message):
        self.said.append(message)


@pytest.fixture
def teacher(module, tokenizer):
    return SimpleNamespace(
        source="tiny",
        fingerprint="f" * 32,
        max_length=24,
        module=lambda: module,
        tokenizer=lambda: tokenizer,
    )


@pytest.fixture
def own(module):
    """The network in torch, held up enough to be the slower one on any machine."""
    network = on_torch(module, threads=1, device=torch.device("cpu"))

    def slow(ids, mask):
        time.sleep(0.05)
        return network(ids, mask)

    return slow


def quickened(folder, teacher, own):
    heard = Heard()
    return Quickener(folder, 1, heard)(teacher, own), heard.said


def noted(folder):
    (note,) = folder.glob("*.json")
    return json.loads(note.read_text())


def test_the_quicker_runtime_says_the_same_and_is_kept(teacher, own, tmp_path):
    """Logits and features within the stated bound; the next run compares nothing and has the same bits."""
    forward, said = quickened(tmp_path, teacher, own)
    choice = noted(tmp_path)
    assert forward is not own
    assert (choice["runtime"], len(said)) == ("onnxruntime", 2)
    assert choice["onnxruntime_ms"] < choice["torch_ms"]
    for said, known in zip(forward(*BATCH), own(*BATCH), strict=True):
        np.testing.assert_allclose(said, known, atol=2e-4, rtol=0)
    again, said = quickened(tmp_path, teacher, own)
    assert said == []
    for one, other in zip(again(*BATCH), forward(*BATCH), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_graph_that_was_changed_is_made_anew(teacher, own, tmp_path):
    """What is not the graph that was chosen is never run."""
    quickened(tmp_path, teacher, own)
    (graph,) = tmp_path.glob("*.onnx")
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    forward, said = quickened(tmp_path, teacher, own)
    assert len(said) == 2
    for said, known in zip(forward(*BATCH), own(*BATCH), strict=True):
        np.testing.assert_allclose(said, known, atol=2e-4, rtol=0)


def test_torch_stays_where_it_is_quicker(teacher, own, tmp_path, monkeypatch):
    """The choice is kept too, and no graph."""
    monkeypatch.setattr("coffey.export.quicken.on_onnxruntime", lambda *_: lambda *b: (own(*b), own(*b))[0])
    for told in (2, 0):
        forward, said = quickened(tmp_path, teacher, own)
        assert forward is own
        assert len(said) == told
    assert (noted(tmp_path)["runtime"], list(tmp_path.glob("*.onnx"))) == ("torch", [])


def test_torch_stays_where_the_graph_says_something_else(teacher, own, tmp_path):
    """Half a thousandth of a logit is more than another order of additions explains."""

    def other(ids, mask):
        logits, features = own(ids, mask)
        return logits + np.float32(5e-4), features

    forward, _ = quickened(tmp_path, teacher, other)
    assert forward is other
    assert "differ by 0.0005" in noted(tmp_path)["reason"]


def test_torch_stays_where_the_network_cannot_be_traced(teacher, own, module, tmp_path):
    """Somebody else's code may do what no graph can; labelling goes on."""

    def refuse(*_):
        if torch.jit.is_tracing():
            raise TypeError("no graph of this")

    hook = module.head.register_forward_pre_hook(refuse)
    try:
        forward, _ = quickened(tmp_path, teacher, own)
    finally:
        hook.remove()
    assert forward is own
    assert noted(tmp_path)["reason"] == "its graph fails (TypeError)"


def test_a_failure_while_answering_is_one_that_teachers_know(teacher, own, tmp_path):
    """`run_texts` turns a RuntimeError into TeacherUnavailable."""
    forward, _ = quickened(tmp_path, teacher, own)
    with pytest.raises(RuntimeError):
        forward(np.full((1, 3), 10**6), np.ones((1, 3), dtype=np.int64))
