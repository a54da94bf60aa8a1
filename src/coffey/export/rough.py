"""int8 in a hurry: as fast as the int8 that ships, for timings in which no answer is looked at."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from coffey.export.silence import unconfigured_logging


def quantize_roughly(source: Path, target: Path) -> None:
    """Write `source` with int8 weights in its matrix products, one scale a matrix, without shape inference.

    `quantize_products` has a scale a column, which is what keeps answers right; the same kernels run either
    way (MiniLM-L6: within 3 % of each other), and this takes a fifth of the time.
    """
    with unconfigured_logging():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul", "Attention"],
            per_channel=False,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
