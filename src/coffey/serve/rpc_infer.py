"""`ModelInfer`: a message to texts, and an answer to a message. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from msgspec import UNSET

from coffey.core.errors import InvalidRequest
from coffey.serve.bodies import InferRequest, OutputTensor
from coffey.serve.dataplane import Answer
from coffey.serve.infer import answer_tensors, binary_texts, check_shape, raw_data
from coffey.serve.limits import Limits
from coffey.serve.rpc_messages import MESSAGES


def decode_message(name: str, body: bytes) -> Any:
    """The message of this name in `body`.

    Raises:
        InvalidRequest: there is none.
    """
    try:
        return MESSAGES[name].FromString(body)
    except DecodeError as exc:
        raise InvalidRequest(f"The message cannot be read: {exc}.") from exc


def texts_of(message: Any, limits: Limits) -> tuple[InferRequest, Sequence[str]]:
    """The request and its texts, which come as `bytes_contents` or as `raw_input_contents`.

    Raises:
        InvalidRequest: it is no such request, its shape and data differ, or it is over the limits.
    """
    inputs = [{"name": one.name, "datatype": one.datatype, "shape": [*one.shape]} for one in message.inputs]
    asked = {"inputs": inputs, "outputs": [{"name": one.name} for one in message.outputs]}
    try:
        request = msgspec.convert(asked | ({"id": message.id} if message.id else {}), InferRequest)
    except msgspec.ValidationError as exc:
        raise InvalidRequest(f"The message cannot be read: {exc}.") from exc
    texts = _raw_texts(message) if message.raw_input_contents else _typed_texts(message)
    check_shape(request.inputs[0], texts)
    limits.check_texts(texts, "inputs[0]")
    return request, texts


def _raw_texts(message: Any) -> list[str]:
    if len(message.raw_input_contents) != 1 or message.inputs[0].HasField("contents"):
        raise InvalidRequest(
            f"raw_input_contents has {len(message.raw_input_contents)} tensors: expected one for the one "
            "input, which then has no contents of its own."
        )
    return binary_texts(memoryview(message.raw_input_contents[0]))


def _typed_texts(message: Any) -> list[str]:
    try:
        return [str(one, "utf-8") for one in message.inputs[0].contents.bytes_contents]
    except UnicodeDecodeError as exc:
        raise InvalidRequest(f"A text of 'inputs[0]' is not UTF-8: {exc}.") from exc


def encode_message(request: InferRequest, answer: Answer, model_name: str, *, raw: bool) -> bytes:
    """The `ModelInferResponse`; `raw` where the texts came as raw contents."""
    tensors = answer_tensors(request, answer)
    wanted = [tensors[output.name] for output in request.outputs or ()] or [*tensors.values()]
    message = MESSAGES["ModelInferResponse"](
        model_name=model_name,
        model_version=answer.model.digest,
        id=answer.id if request.id is UNSET else request.id,
        outputs=[_output(one, raw=raw) for one in wanted],
        raw_output_contents=[raw_data(one) for one in wanted] if raw else (),
    )
    encoded: bytes = message.SerializeToString()
    return encoded


def _output(tensor: OutputTensor, *, raw: bool) -> Any:
    message = MESSAGES["InferTensor"](name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
    if raw:
        return message
    data: Sequence[Any] = tensor.data or ()
    if tensor.datatype == "BYTES":
        message.contents.bytes_contents.extend(name.encode() for name in data)
    else:
        message.contents.fp32_contents.extend(data)
    return message
