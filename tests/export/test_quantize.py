"""int8 shrinks the file and stays near the numbers that it stands for."""

from __future__ import annotations

import numpy as np
import onnx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper

from coffey.export.fuse import count_operators, fuse
from coffey.export.quantize import quantize_embeddings, quantize_products, quantize_rows

TABLES = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e3, 1e3, width=32)
)


@given(TABLES)
def test_a_row_is_within_half_a_level_of_itself(table):
    """Whatever the other rows hold: each has its own scale."""
    levels, scales = quantize_rows(table)
    assert levels.dtype == np.int8
    assert (np.abs(levels * scales - table) <= scales * 0.5001 + 1e-30).all()


def test_a_row_of_zeros_stays_zeros():
    """Nothing is divided by zero."""
    levels, scales = quantize_rows(np.zeros((2, 3), dtype=np.float32))
    assert not levels.any()
    assert np.isfinite(scales).all()


def test_products_become_integer_products(exported, tmp_path):
    """Attention and matrix products; the classifier stays as it is."""
    fuse(exported, tmp_path / "fused.onnx", embeddings=False)
    quantize_products(tmp_path / "fused.onnx", tmp_path / "int8.onnx")
    counts = count_operators(tmp_path / "int8.onnx")
    assert counts["QAttention"] == 2
    assert counts["MatMulInteger"] == 6
    assert counts["MatMul"] == 1  # the classifier: the quantizer splits every Gemm, quantized or not
    assert "Attention" not in counts
    assert (tmp_path / "int8.onnx").stat().st_size < (tmp_path / "fused.onnx").stat().st_size


def test_weights_use_seven_bits_so_that_no_cpu_saturates(exported, tmp_path):
    """The largest level is 64, not 127."""
    fuse(exported, tmp_path / "fused.onnx", embeddings=False)
    quantize_products(tmp_path / "fused.onnx", tmp_path / "int8.onnx")
    weights = [
        numpy_helper.to_array(item)
        for item in onnx.load(str(tmp_path / "int8.onnx")).graph.initializer
        if item.data_type == TensorProto.INT8 and len(item.dims) == 2
    ]
    assert len(weights) == 8
    assert max(np.abs(weight.astype(int)).max() for weight in weights) == 64


def test_the_word_table_becomes_int8_and_small_tables_stay(exported, tmp_path):
    """One table is worth it here."""
    fuse(exported, tmp_path / "fused.onnx", embeddings=False)
    assert quantize_embeddings(tmp_path / "fused.onnx", tmp_path / "rows.onnx") == 1
    saved = (tmp_path / "fused.onnx").stat().st_size - (tmp_path / "rows.onnx").stat().st_size
    assert saved > 216 * 32 * 2


def test_a_table_that_is_also_multiplied_stays(tmp_path):
    """A shared table (tied weights) and one that is looked up by column are not touched."""
    table = np.ones((100, 100), dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["tied", "ids"], ["a"]),
            helper.make_node("MatMul", ["a", "tied"], ["b"]),
            helper.make_node("Gather", ["columns", "ids"], ["c"], axis=1),
        ],
        "g",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [None])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, None]) for n in "bc"],
        [numpy_helper.from_array(table, name) for name in ("tied", "columns")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(tmp_path / "g.onnx"))
    assert quantize_embeddings(tmp_path / "g.onnx", tmp_path / "h.onnx") == 0


def test_a_graph_without_products_stays_as_it_is(tmp_path):
    """Not even its classifier is quantized."""
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 64])],
        [numpy_helper.from_array(np.ones((64, 64), dtype=np.float32), "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(tmp_path / "g.onnx"))
    quantize_products(tmp_path / "g.onnx", tmp_path / "h.onnx")
    assert (tmp_path / "h.onnx").read_bytes() == (tmp_path / "g.onnx").read_bytes()


def test_quantizing_prints_nothing(exported, tmp_path, capfd):
    """Neither stream."""
    quantize_products(exported, tmp_path / "int8.onnx")
    assert capfd.readouterr() == ("", "")
