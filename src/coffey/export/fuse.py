"""ONNX Runtime's transformer fusions: attention, layer norms and GELU as one node each."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

from coffey.core.files import write_atomic
from coffey.export.heads import find_heads
from coffey.export.silence import unconfigured_logging

_ONNX_RUNTIME_BASIC = 1
"""Constant folding and the like, before the fusions look for patterns; nothing bound to one machine."""


def fuse(source: Path, target: Path, *, embeddings: bool = True) -> dict[str, int]:
    """Write the fused graph of `source` to `target`.

    Args:
        source: a graph of a BERT-like encoder. Of any other graph nothing may fuse; it still is right.
        target: where the fused graph goes.
        embeddings: also fuse the embeddings' look-up with their layer norm. Row-wise quantization needs the
            look-ups apart.

    Returns:
        How many nodes of each fused kind the graph has; kinds without any are left out.

    Raises:
        StoreUnavailable: the file cannot be written.
    """
    options = FusionOptions("bert")
    options.enable_embed_layer_norm = embeddings
    heads, width = find_heads(onnx.load(str(source)))
    with unconfigured_logging():
        model = optimizer.optimize_model(
            str(source),
            model_type="bert",
            num_heads=heads,
            hidden_size=width,
            optimization_options=options,
            opt_level=_ONNX_RUNTIME_BASIC,
        )
    counts: dict[str, int] = model.get_fused_operator_statistics()
    write_atomic(target, model.model.SerializeToString())
    return {kind: count for kind, count in counts.items() if count}


def count_operators(path: Path) -> dict[str, int]:
    """How many nodes of each operator the graph in `path` has."""
    counts: dict[str, int] = {}
    for node in onnx.load(str(path)).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts
