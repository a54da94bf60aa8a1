"""What is only timed has the same kernels as what ships."""

from __future__ import annotations

from pathlib import Path

from coffey.export.export import Variants
from coffey.export.fuse import count_operators
from coffey.export.quantize import quantize_products
from coffey.export.rough import quantize_roughly


def test_the_same_products_are_int8(variants: Variants, tmp_path: Path) -> None:
    """Attention and products alike; the classifier's, if it is one, besides."""
    fused = variants.named("fused").path
    quantize_products(fused, tmp_path / "ships.onnx")
    quantize_roughly(fused, tmp_path / "timed.onnx")
    ships, timed = count_operators(tmp_path / "ships.onnx"), count_operators(tmp_path / "timed.onnx")
    assert timed["QAttention"] == ships["QAttention"] == 2
    assert timed["MatMulInteger"] >= ships["MatMulInteger"] > 0
    assert (tmp_path / "timed.onnx").stat().st_size <= (tmp_path / "ships.onnx").stat().st_size * 1.05
