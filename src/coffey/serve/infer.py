"""The Open Inference Protocol: bodies to texts and answers to bodies, as JSON or as binary tensors. Pure.

Binary tensors follow the JSON of a body, which `inference-header-content-length` tells from them
(https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from coffey.core.errors import InvalidRequest
from coffey.serve.bodies import (
    BinarySize,
    InferRequest,
    InferResponse,
    InputTensor,
    OutputTensor,
)
from coffey.serve.dataplane import Answer
from coffey.serve.limits import Limits

EXTENSION = "binary_tensor_data"
"""As the server's metadata name it."""
_LENGTH = struct.Struct("<I")
_decoder = msgspec.json.Decoder(InferRequest)


def decode_infer(
    body: bytes, limits: Limits, json_bytes: int | None = None
) -> tuple[InferRequest, Sequence[str]]:
    """The request and its texts; binary ones follow the first `json_bytes` of the body.

    Raises:
        InvalidRequest: the body is no such request, its shape and data differ, or it is over the limits.
    """
    end = len(body) if json_bytes is None else json_bytes
    if end > len(body):
        raise InvalidRequest(
            f"inference-header-content-length is {end}: expected at most the {len(body)} bytes of the body."
        )
    try:
        request = _decoder.decode(memoryview(body)[:end])
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidRequest(f"The body cannot be read: {exc}.") from exc
    texts = _texts(request.inputs[0], memoryview(body)[end:])
    limits.check_texts(texts, "inputs[0].data")
    return request, texts


def _texts(tensor: InputTensor, raw: memoryview) -> list[str]:
    texts: list[str] = []
    if tensor.data is UNSET:
        _check_size(raw, tensor.parameters.get("binary_data_size"))
        texts = binary_texts(raw)
    else:
        if raw:
            raise InvalidRequest(
                f"'inputs[0]' has data, and {len(raw)} bytes follow the JSON: expected none."
            )
        for item in tensor.data:
            texts += [item] if isinstance(item, str) else item
    check_shape(tensor, texts)
    return texts


def check_shape(tensor: InputTensor, texts: Sequence[str]) -> None:
    """Refuse a tensor whose shape is not that of its texts.

    Raises:
        InvalidRequest: it is neither [n] nor [n, 1].
    """
    if tensor.shape not in ([len(texts)], [len(texts), 1]):
        raise InvalidRequest(
            f"'inputs[0].shape' is {tensor.shape} and the data holds {len(texts)} texts: expected "
            f"[{len(texts)}] or [{len(texts)}, 1]."
        )


def _check_size(raw: memoryview, size: object) -> None:
    if size != len(raw) or isinstance(size, bool):
        raise InvalidRequest(
            f"'inputs[0]' has no data, its parameter binary_data_size is {size!r}, and {len(raw)} bytes "
            "follow the JSON: expected a list 'data', or as many bytes as that parameter says."
        )


def binary_texts(raw: memoryview) -> list[str]:
    """Each text is its length in four bytes, the lowest first, and then its bytes in UTF-8.

    Raises:
        InvalidRequest: the lengths do not add up, or a text is not UTF-8.
    """
    texts: list[str] = []
    at = 0
    while at < len(raw):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(raw, at)[0] if start <= len(raw) else len(raw) + 1
        if at > len(raw):
            raise InvalidRequest(f"Text {len(texts)} of 'inputs[0]' is longer than what is left of the data.")
        try:
            texts.append(str(raw[start:at], "utf-8"))
        except UnicodeDecodeError as exc:
            raise InvalidRequest(f"Text {len(texts)} of 'inputs[0]' is not UTF-8: {exc}.") from exc
    return texts


def encode_infer(request: InferRequest, answer: Answer, model_name: str) -> tuple[InferResponse, bytes]:
    """The answer's JSON, and the bytes that follow it: outputs that were asked for, both when none was named.

    Of a multi-label task `label` is a JSON list of labels a text, and `score` has one column a label, in the
    order of `labels` in the model's metadata. Without a binary output there are no bytes.
    """
    both = answer_tensors(request, answer)
    everywhere = request.parameters.get("binary_data_output")
    wanted: dict[str, dict[str, Any]] = {name: {} for name in both}
    if request.outputs:
        wanted = {output.name: output.parameters for output in request.outputs}
    raw = [
        _make_binary(both[name])
        for name, parameters in wanted.items()
        if parameters.get("binary_data", everywhere) is True
    ]
    request_id = answer.id if request.id is UNSET else request.id
    outputs = [both[name] for name in wanted]
    return InferResponse(model_name, answer.model.digest, outputs, request_id), b"".join(raw)


def answer_tensors(request: InferRequest, answer: Answer) -> dict[str, OutputTensor]:
    """Both outputs, by name."""
    shape = request.inputs[0].shape
    scores = OutputTensor("score", "FP32", shape, answer.confidence)
    if answer.model.scoring.independent:
        rows, labels = answer.probabilities.shape
        scores = OutputTensor("score", "FP32", [rows, labels], answer.probabilities.ravel().tolist())
    return {"label": OutputTensor("label", "BYTES", shape, answer.names), "score": scores}


def _make_binary(tensor: OutputTensor) -> bytes:
    """The data of a tensor, which then states their size in their place."""
    raw = raw_data(tensor)
    tensor.data, tensor.parameters = UNSET, BinarySize(len(raw))
    return raw


def raw_data(tensor: OutputTensor) -> bytes:
    """The data of a tensor in one piece: texts as `binary_texts` reads them, numbers as 32-bit floats."""
    data: Iterable[Any] = () if tensor.data is UNSET else tensor.data
    if tensor.datatype == "FP32":
        return np.fromiter(data, dtype="<f4").tobytes()
    return b"".join(_LENGTH.pack(len(text)) + text for text in (name.encode() for name in data))
