from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust
from coffey.core.errors import InvalidRequest
from coffey.serve.dataplane import Answer
from coffey.serve.infer import decode_infer, encode_infer
from coffey.serve.limits import Limits

URL = "/v2/models/intents/infer"
TEXT = {"name": "text", "datatype": "BYTES"}


def packed(texts: list[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def body(raw: bytes, count: int, *, size: object = None, **more: object) -> tuple[bytes, int]:
    """A request and the bytes of its JSON."""
    parameters = {"binary_data_size": len(raw) if size is None else size}
    head = json.dumps({"inputs": [{**TEXT, "shape": [count], "parameters": parameters}], **more}).encode()
    return head + raw, len(head)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=8))
def test_binary_texts_are_read_as_they_were_written(texts) -> None:
    """Whatever they hold, empty ones too."""
    sent, json_bytes = body(packed([text.encode() for text in texts]), len(texts))
    assert decode_infer(sent, Limits(), json_bytes)[1] == texts


@given(st.binary(max_size=40), st.integers(0, 5), st.integers(0, 200))
def test_whatever_follows_the_json_is_read_or_refused(raw, count, json_bytes) -> None:
    """Bytes that are no tensor, and lengths that lie."""
    sent, honest = body(raw, count)
    for length in (honest, json_bytes, None):
        try:
            _, texts = decode_infer(sent, Limits(), length)
        except InvalidRequest:
            continue
        assert len(texts) == count


@pytest.mark.parametrize(
    ("raw", "size", "says"),
    [
        (packed([b"hello"]), 8, "binary_data_size is 8, and 9 bytes follow"),
        (packed([b"hello"]), "9", "binary_data_size is '9'"),
        (b"\x00", True, "binary_data_size is True"),
        (b"\x09\x00\x00\x00abc", None, "longer than what is left"),
        (b"\x09\x00", None, "longer than what is left"),
        (packed([b"\xff"]), None, "not UTF-8"),
        (packed([b"a", b"b"]), None, "holds 2 texts"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_said(raw, size, says) -> None:
    sent, json_bytes = body(raw, 1, size=size)
    with pytest.raises(InvalidRequest, match=says):
        decode_infer(sent, Limits(), json_bytes)


def test_data_and_bytes_exclude_each_other() -> None:
    """A tensor is in one place."""
    head = json.dumps({"inputs": [{**TEXT, "shape": [1], "data": ["a"]}]}).encode()
    with pytest.raises(InvalidRequest, match="has data, and 1 bytes follow"):
        decode_infer(head + b"x", Limits(), len(head))
    with pytest.raises(InvalidRequest, match="at most"):
        decode_infer(head, Limits(), len(head) + 1)


@pytest.mark.parametrize(
    ("asked", "binary"),
    [
        ({}, []),
        ({"parameters": {"binary_data_output": True}}, ["label", "score"]),
        ({"outputs": [{"name": "score", "parameters": {"binary_data": True}}, {"name": "label"}]}, ["score"]),
        (
            {
                "parameters": {"binary_data_output": True},
                "outputs": [{"name": "label", "parameters": {"binary_data": False}}, {"name": "score"}],
            },
            ["score"],
        ),
    ],
)
def test_outputs_are_binary_where_that_was_asked_for(artifact: Path, trust: Trust, asked, binary) -> None:
    """One by one, or all; they follow the JSON in the order of the outputs."""
    model = Predictor.load(artifact, trust=trust)
    texts = ["hello", "where is the parcel"]
    probabilities = model.predict(texts)
    names = [model.labels[index] for index in probabilities.argmax(axis=1)]
    confidence = probabilities.max(axis=1)
    answer = Answer("id", model, probabilities, names, confidence.tolist(), 0.0, 0.0)
    sent, json_bytes = body(packed([text.encode() for text in texts]), 2, **asked)
    request, _ = decode_infer(sent, Limits(), json_bytes)
    found, raw = encode_infer(request, answer, "intents")
    expected = {
        "label": packed([name.encode() for name in names]),
        "score": confidence.astype("<f4").tobytes(),
    }
    assert raw == b"".join(expected[output.name] for output in found.outputs if output.name in binary)
    for output in found.outputs:
        if output.name in binary:
            assert output.parameters.binary_data_size == len(expected[output.name])
        else:
            assert len(output.data) == 2


def test_a_client_may_speak_binary_both_ways(server, ask) -> None:
    """The same labels and scores as in JSON; the server's metadata name the extension."""
    texts = ["hello", "where is the parcel"]
    plain = {"inputs": [{**TEXT, "shape": [2], "data": texts}]}
    label, score = ask(server.port, "POST", URL, plain).json()["outputs"]
    sent, length = body(packed([text.encode() for text in texts]), 2, parameters={"binary_data_output": True})
    answer = ask(
        server.port,
        "POST",
        URL,
        sent,
        content_type="application/octet-stream",
        inference_header_content_length=str(length),
    )
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    end = int(answer.headers["inference-header-content-length"])
    sizes = [one["parameters"]["binary_data_size"] for one in json.loads(answer.body[:end])["outputs"]]
    assert answer.body[end : end + sizes[0]] == packed([name.encode() for name in label["data"]])
    np.testing.assert_allclose(np.frombuffer(answer.body[-sizes[1] :], "<f4"), score["data"], atol=1e-5)
    assert ask(server.port, "GET", "/v2").json()["extensions"] == ["binary_tensor_data"]


def test_binary_bodies_are_for_tensors_alone(server, ask) -> None:
    """`/v1/predict` reads JSON; a length that is no number is refused."""
    octets = "application/octet-stream"
    assert ask(server.port, "POST", "/v1/predict", {"input": "a"}, content_type=octets).status == 415
    assert ask(server.port, "POST", URL, b"", inference_header_content_length="ten").status == 422
