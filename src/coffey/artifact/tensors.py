"""The weights in the bytes of an ONNX graph, without the package `onnx`, which no server has.

Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/), and the few fields of
onnx.proto that weights are in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[Any]
"""float32 or int8."""
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_NUMPY = {1: "<f4", 3: "i1"}
"""Of ONNX's types, those that are read."""


def read_tensors(model: bytes) -> dict[str, Tensor]:
    """The float32 and int8 initializers of a graph, by name; views of `model`, in which nothing is copied.

    Raises:
        ValueError: the bytes are no such message, or a tensor has more or fewer numbers than its shape.
    """
    tensors: dict[str, Tensor] = {}
    for graph in _parts(memoryview(model), _GRAPH):
        for initializer in _parts(graph, _INITIALIZER):
            name, tensor = _tensor(initializer)
            if tensor is not None:
                tensors[name] = tensor
    return tensors


def _tensor(message: memoryview) -> tuple[str, Tensor | None]:
    """The name of a tensor, and the tensor where its type is read and its numbers are one piece of bytes."""
    dims: list[int] = []
    kind, name = 0, ""
    raw: memoryview | None = None
    for number, value in _fields(message):
        if isinstance(value, int):
            dims += [value] if number == _DIMS else []
            kind = value if number == _TYPE else kind
        elif number == _DIMS:
            dims += _varints(value)
        elif number == _NAME:
            name = str(value, "utf-8")
        elif number == _RAW:
            raw = value
    if raw is None or kind not in _NUMPY:
        return name, None
    found = np.frombuffer(raw, dtype=_NUMPY[kind])
    if found.size != math.prod(dims):
        raise ValueError(f"{name!r} has {found.size} numbers in the place of {math.prod(dims)}")
    return name, found.reshape(dims)


def _parts(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in _fields(message):
        if number == wanted and not isinstance(value, int):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; a varint as an integer, everything else as its bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            number, at = _varint(message, at)
            yield key >> 3, number
            continue
        if kind == _COUNTED:
            size, at = _varint(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        if at + size > len(message):
            raise ValueError(f"a field of {size} bytes at byte {at} of {len(message)}")
        yield key >> 3, message[at : at + size]
        at += size


def _varints(message: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(message):
        number, at = _varint(message, at)
        found.append(number)
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at a byte, seven bits a byte, the lowest first; and where the next thing is."""
    number = shift = 0
    while at < len(message):
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
    raise ValueError("the message ends within a number")
