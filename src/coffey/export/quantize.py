"""int8: weights of the products (dynamic quantization) and of the embeddings (one scale a row)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from coffey.core.files import write_atomic
from coffey.export.silence import unconfigured_logging

SMALLEST_TABLE = 4096
"""Numbers in an embedding table below which there is nothing to save."""
_PRODUCTS = ("MatMul", "Attention")
"""Not `Gemm`: that is the classifier, whose few weights decide the answer."""


def quantize_products(source: Path, target: Path) -> None:
    """Write `source` with int8 weights in its matrix products, one scale a column; activations stay dynamic.

    Weights use 7 of the 8 bits (`reduce_range`). On CPUs without VNNI the 16-bit sums of u8 x s8 products
    saturate otherwise (measured on such a CPU, a 2-layer student: largest change of a logit 0.19 with 8 bits,
    0.015 with 7), and an artifact must answer alike on every machine.
    """
    with tempfile.TemporaryDirectory() as scratch, unconfigured_logging():
        shaped, product = Path(scratch, "shaped.onnx"), Path(scratch, "int8.onnx")
        quant_pre_process(str(source), str(shaped), skip_optimization=True, skip_symbolic_shape=True)
        names = _name_products(shaped)
        if not names:  # an empty list would mean "all", the classifier included
            write_atomic(target, source.read_bytes())
            return
        quantize_dynamic(
            shaped,
            product,
            op_types_to_quantize=list(_PRODUCTS),
            nodes_to_quantize=names,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
        write_atomic(target, product.read_bytes())


def _name_products(path: Path) -> list[str]:
    """Give every product in the graph a name; all the names. The quantizer knows nodes by name alone."""
    model = onnx.load(str(path))
    products = [node for node in model.graph.node if node.op_type in _PRODUCTS]
    for i, node in enumerate(products):
        node.name = f"product_{i}"
    onnx.save(model, str(path))
    return [node.name for node in products]


def quantize_embeddings(source: Path, target: Path) -> int:
    """Write `source` with its float embedding tables as int8, one scale a row.

    ONNX Runtime's own embedding quantization has one scale for the whole table, which the longest row sets;
    here each look-up becomes `int8 row -> float, times the row's scale`.

    Returns:
        How many tables were quantized.
    """
    model = onnx.load(str(source))
    tables = _tables(model.graph)
    nodes = [made for node in model.graph.node for made in _look_up(node, tables)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    weights = [item for item in model.graph.initializer if item.name not in tables]
    for name, table in tables.items():
        levels, scales = quantize_rows(table)
        weights += [
            numpy_helper.from_array(levels, f"{name}_int8"),
            numpy_helper.from_array(scales, f"{name}_scale"),
        ]
    del model.graph.initializer[:]
    model.graph.initializer.extend(weights)
    write_atomic(target, model.SerializeToString())
    return len(tables)


def quantize_rows(table: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """`table` [rows, width] as levels [rows, width] and scales [rows, 1]; within scale/2 of it."""
    scales = np.abs(table).max(axis=1, keepdims=True) / np.float32(127)
    scales = np.where(scales > 0, scales, np.float32(1)).astype(np.float32)
    return np.rint(table / scales).astype(np.int8), scales


def _tables(graph: onnx.GraphProto) -> dict[str, npt.NDArray[np.float32]]:
    """The float matrices that are only ever looked up in by row."""
    weights = {item.name: item for item in graph.initializer}
    others = {name for node in graph.node if not _is_look_up(node) for name in node.input}
    tables = {}
    for name in {node.input[0] for node in graph.node if _is_look_up(node)} - others:
        item = weights.get(name)
        if item is not None and item.data_type == onnx.TensorProto.FLOAT and len(item.dims) == 2:
            table = numpy_helper.to_array(item)
            if table.size >= SMALLEST_TABLE and table.shape[1] > 1:  # one number and its scale are larger
                tables[name] = table
    return dict(sorted(tables.items()))


def _is_look_up(node: onnx.NodeProto) -> bool:
    return node.op_type == "Gather" and not any(
        item.name == "axis" and item.i != 0 for item in node.attribute
    )


def _look_up(node: onnx.NodeProto, tables: dict[str, npt.NDArray[np.float32]]) -> list[onnx.NodeProto]:
    if not _is_look_up(node) or node.input[0] not in tables:
        return [node]
    table, ids = node.input
    out = node.output[0]
    # not `out_scale`: so the quantizer names what it makes where a product reads `out`
    row, real, scale = f"{out}_row", f"{out}_row_real", f"{out}_row_scale"
    return [
        helper.make_node("Gather", [f"{table}_int8", ids], [row], axis=0),
        helper.make_node("Cast", [row], [real], to=onnx.TensorProto.FLOAT),
        helper.make_node("Gather", [f"{table}_scale", ids], [scale], axis=0),
        helper.make_node("Mul", [real, scale], [out]),
    ]
