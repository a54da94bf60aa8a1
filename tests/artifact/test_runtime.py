"""A runtime answers every text alone as it does in company, in order, from threads, whatever the text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from coffey.artifact.runtime import BATCH
from coffey.core.errors import ArtifactError
from coffey.stats.scoring import ONE_LABEL

TEXTS = ["play the music", "stop", "", "now now now please", "\N{GRINNING FACE}", "the " * 5000, "Stop NOW"]


def test_answers_are_what_numpy_says(tiny):
    """The same arithmetic by hand."""
    runtime = tiny.runtime()
    weights = {
        item.name: numpy_helper.to_array(item)
        for item in onnx.load_from_string(tiny.model()).graph.initializer
    }
    encoded = runtime.encode(["play the music"])
    features = weights["vectors"][encoded.input_ids[0]].mean(axis=0)
    answers = runtime.answer(encoded)
    np.testing.assert_allclose(answers.features[0], features, rtol=1e-5)
    np.testing.assert_allclose(
        answers.probabilities, ONE_LABEL.probabilities((features @ weights["matrix"])[None]), rtol=1e-4
    )


def test_company_and_padding_do_not_change_an_answer(tiny):
    """Alone, in any batch, in any order."""
    runtime = tiny.runtime()
    alone = np.concatenate([runtime.predict([text]) for text in TEXTS])
    np.testing.assert_allclose(runtime.predict(TEXTS), alone, atol=1e-6)
    np.testing.assert_allclose(runtime.predict(TEXTS[::-1])[::-1], alone, atol=1e-6)
    np.testing.assert_allclose(runtime.predict(TEXTS * BATCH), np.tile(alone, (BATCH, 1)), atol=1e-6)
    np.testing.assert_allclose(runtime.answer_all(TEXTS, batch=2).probabilities, alone, atol=1e-6)


def test_every_answer_is_a_distribution(tiny):
    """float32, finite, rows sum to 1; features come in the same order."""
    runtime = tiny.runtime()
    found = runtime.predict(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    features = runtime.features(TEXTS)
    assert features.shape == (len(TEXTS), 8)
    np.testing.assert_allclose(features[1:2], runtime.features(TEXTS[1:2]), atol=1e-6)


def test_no_texts_are_no_answers(tiny):
    """Shapes stay what they are."""
    assert tiny.runtime().predict([]).shape == (0, 3)


def test_threads_may_share_a_runtime(tiny):
    """Many callers at once get what one caller gets."""
    runtime = tiny.runtime(spin=True)
    expected = runtime.predict(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: runtime.predict(TEXTS), range(100)):
            np.testing.assert_array_equal(found, expected)


def test_a_graph_that_cannot_be_run_is_refused(tiny):
    """No ONNX Runtime exception comes through."""
    for rubbish in (b"rubbish", b""):
        with pytest.raises(ArtifactError, match=r"model\.onnx"):
            tiny.runtime(model=rubbish)


def test_a_graph_with_other_inputs_is_refused(tiny):
    """The contract of the graph is checked when it is loaded."""
    model = onnx.load_from_string(tiny.model().replace(b"attention_mask", b"attentive_mask"))
    with pytest.raises(ArtifactError, match="attentive_mask"):
        tiny.runtime(model=model.SerializeToString())
