"""Reading the number of attention heads and the width off an ONNX graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper

_SPLIT = [0, 2, 1, 3]
"""The permutation that follows `view(batch, tokens, heads, head width)`."""
UNKNOWN = (0, 0)


@dataclass(frozen=True, slots=True)
class _Graph:
    weights: dict[str, onnx.TensorProto]
    makers: dict[str, onnx.NodeProto]

    def maker(self, name: str, kind: str) -> onnx.NodeProto | None:
        node = self.makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def constant(self, name: str) -> np.ndarray | None:
        if name in self.weights:
            return numpy_helper.to_array(self.weights[name])
        twin = self.maker(name, "Identity")  # the exporter's way to say that two weights are equal
        if twin is not None:
            return self.constant(twin.input[0])
        node = self.maker(name, "Constant")
        return None if node is None else numpy_helper.to_array(node.attribute[0].t)


def find_heads(model: onnx.ModelProto) -> tuple[int, int]:
    """Heads and width of the first attention in the graph; `UNKNOWN` when there is none of BERT's kind.

    transformers writes `view(…, -1, head width)`, from which ONNX Runtime's own detection reads no number of
    heads and then fuses no attention; the width of the projection before it tells the rest.
    """
    graph = _Graph(
        {item.name: item for item in model.graph.initializer},
        {name: node for node in model.graph.node for name in node.output},
    )
    for node in model.graph.node:
        if node.op_type == "Transpose" and list(node.attribute[0].ints) == _SPLIT:
            reshape = graph.maker(node.input[0], "Reshape")
            found = _heads_of(graph, reshape) if reshape is not None else UNKNOWN
            if found != UNKNOWN:
                return found
    return UNKNOWN


def _heads_of(graph: _Graph, reshape: onnx.NodeProto) -> tuple[int, int]:
    head = _last_of_shape(graph, reshape.input[1])
    project = graph.maker(reshape.input[0], "Add")
    if project is None or head <= 0:
        return UNKNOWN
    biases = [bias for name in project.input if (bias := graph.constant(name)) is not None]
    width = biases[0].size if biases else 0
    return (width // head, width) if width and width % head == 0 else UNKNOWN


def _last_of_shape(graph: _Graph, name: str) -> int:
    concat = graph.maker(name, "Concat")
    shape = graph.constant(name if concat is None else concat.input[-1])
    return 0 if shape is None or not shape.size else int(shape.reshape(-1)[-1])
