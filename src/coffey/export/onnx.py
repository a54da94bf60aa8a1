"""Torch module to ONNX graph, with batch and length both free."""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.jit._trace import TracerWarning

from coffey.core.files import write_atomic

OPSET = 17
"""The lowest with LayerNormalization, so that the most runtimes read it."""
INPUTS = ("input_ids", "attention_mask")
OUTPUTS = ("logits", "features")
_EXAMPLE = (2, 8)
"""Batch and length of the traced example. Neither is 1: a size of 1 would be traced as broadcasting."""


def write_onnx(module: torch.nn.Module, path: Path, *, max_length: int) -> None:
    """Write the graph of `module` to `path`: one file, below protobuf's 2 GiB.

    `module(input_ids, attention_mask)`, both int64 [b, t], returns logits [b, labels], features [b, width].
    The graph has inputs and outputs of these names. `module` itself is not changed; a copy is traced on the
    CPU in evaluation mode with plain ("eager") attention.

    The TorchScript exporter is used: of torch 2.13's two exporters, it is the one whose graphs ONNX Runtime's
    attention fusion recognizes (`dynamo=True` left every attention unfused).

    Raises:
        StoreUnavailable: the file cannot be written.
    """
    traced = plain_copy(module)
    length = min(_EXAMPLE[1], max_length)
    ids = torch.ones((_EXAMPLE[0], length), dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[-1, length // 2 + 1 :] = 0
    axes = {0: "batch", 1: "tokens"}
    free = dict.fromkeys(INPUTS, axes) | {name: {0: "batch"} for name in OUTPUTS}
    with tempfile.TemporaryDirectory() as scratch, _quiet(), torch.no_grad():
        graph = Path(scratch, "graph.onnx")
        torch.onnx.export(
            traced,
            (ids, mask),
            graph,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
        write_atomic(path, graph.read_bytes())


def plain_copy(module: torch.nn.Module) -> torch.nn.Module:
    """A copy on the CPU in evaluation mode, in which transformers models use the attention that fuses."""
    twin = copy.deepcopy(module).to(device="cpu", dtype=torch.float32).eval()
    for part in twin.modules():
        switch = getattr(part, "set_attn_implementation", None)
        if switch is not None:
            switch("eager")
    return twin


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter always says about itself; the parity check is what watches it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=TracerWarning)
        warnings.filterwarnings("ignore", "You are using the legacy TorchScript", DeprecationWarning)
        warnings.filterwarnings("ignore", "The feature will be removed", DeprecationWarning)
        warnings.filterwarnings("ignore", "Exporting aten::index operator", UserWarning)
        yield
