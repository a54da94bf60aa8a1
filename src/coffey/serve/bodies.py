"""The bodies of requests and answers; `openapi.py` describes exactly these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType


class PredictRequest(Struct, forbid_unknown_fields=True):
    """What to predict: `input` or `inputs`, one of the two."""

    inputs: Annotated[list[str], Meta(description="texts to label")] | None = None
    input: Annotated[str, Meta(description="the one text to label")] | None = None
    top_k: Annotated[int, Meta(ge=1, description="add the scores of the k most probable labels")] | None = (
        None
    )
    scores: Annotated[bool, Meta(description="add the scores of all labels")] = False


class LabelScore(Struct):
    """A label and its probability."""

    label: str
    score: float


class Prediction(Struct):
    """The most probable label of one text, and the scores that were asked for, most probable first."""

    label: str
    score: float
    scores: list[LabelScore] | UnsetType = UNSET
    labels: Annotated[
        list[LabelScore] | UnsetType,
        Meta(description="of a multi-label task, the labels that the text is given: none, one or many"),
    ] = UNSET


class PredictResponse(Struct):
    """Predictions in the order of the inputs."""

    id: Annotated[str, Meta(description="the request's id in the traffic log")]
    model: Annotated[str, Meta(description="digest of the artifact that answered")]
    predictions: list[Prediction]


class Reloaded(Struct):
    """The model that answers from now on."""

    model: Annotated[str, Meta(description="digest of the artifact")]


class ErrorBody(Struct):
    """Why a request was not answered."""

    error: str


class Live(Struct):
    """The process runs."""

    live: bool


class Ready(Struct):
    """Whether predictions are answered."""

    ready: bool


class ServerMetadata(Struct):
    """Open Inference Protocol: the server."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(Struct):
    """Open Inference Protocol: one input or output."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(Struct):
    """Open Inference Protocol: the model; its version is the artifact's digest."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    labels: Annotated[
        list[str] | UnsetType, Meta(description="of a multi-label task, the label of each column of score")
    ] = UNSET


class ModelReady(Struct):
    """Open Inference Protocol: whether the model answers."""

    name: str
    ready: bool


class InputTensor(Struct):
    """Open Inference Protocol: the texts, as one BYTES tensor of shape [n] or [n, 1]."""

    name: Literal["text"]
    shape: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(min_length=1, max_length=2)]
    datatype: Literal["BYTES"]
    data: Annotated[
        list[str | list[str]] | UnsetType, Meta(description="left out where the tensor follows the JSON")
    ] = UNSET
    parameters: dict[str, Any] = {}


class RequestedOutput(Struct):
    """Open Inference Protocol: an output to return."""

    name: Literal["label", "score"]
    parameters: dict[str, Any] = {}


class InferRequest(Struct):
    """Open Inference Protocol: what to infer."""

    inputs: Annotated[list[InputTensor], Meta(min_length=1, max_length=1)]
    id: str | UnsetType = UNSET
    outputs: list[RequestedOutput] | UnsetType = UNSET
    parameters: dict[str, Any] = {}


class BinarySize(Struct):
    """Open Inference Protocol: of a tensor that follows the JSON."""

    binary_data_size: Annotated[int, Meta(description="bytes")]


class OutputTensor(Struct):
    """Open Inference Protocol: one output."""

    name: Literal["label", "score"]
    datatype: Literal["BYTES", "FP32"]
    shape: list[int]
    data: Sequence[str | float] | UnsetType
    parameters: BinarySize | UnsetType = UNSET


class InferResponse(Struct):
    """Open Inference Protocol: the outputs, in the order of the input's texts."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | UnsetType = UNSET
