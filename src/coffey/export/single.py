"""One form of a module and no other: for what is timed, where there is nothing to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer

from coffey.artifact.encoding import TextEncoder
from coffey.core.errors import EmptyData
from coffey.export.export import SHIPS, Form, Variant, Variants
from coffey.export.fuse import fuse
from coffey.export.onnx import write_onnx
from coffey.export.parameters import count_parameters
from coffey.export.parity import compare, torch_probabilities
from coffey.export.quantize import quantize_embeddings, quantize_products
from coffey.export.timing import median_ms
from coffey.stats.scoring import ONE_LABEL, Scoring

SingleForm = Literal["fused", "int8"]


def export_single(
    module: torch.nn.Module,
    tokenizer: Tokenizer,
    *,
    form: SingleForm,
    labels: Sequence[str],
    max_length: int,
    folder: Path,
    texts: Sequence[str],
    scoring: Scoring = ONE_LABEL,
) -> Variants:
    """Write one variant of `module` into `folder`; a few `texts` tell how far it is from the module.

    `export_student` makes all forms, to choose the one that ships; here one graph is traced, fused once, and
    measured by nothing but its parity, which is reported and not judged.

    Args:
        module: `(input_ids, attention_mask) -> (logits, features)`; it is not changed.
        tokenizer: what made the ids it was trained on.
        form: `fused`, or `int8` (products and embeddings).
        labels: names in the order of the logits.
        max_length: tokens read of a text.
        folder: for the ONNX file; made when absent.
        texts: what parity is measured on.
        scoring: of the task.

    Raises:
        EmptyData: no text.
        StoreUnavailable: a file cannot be written.
    """
    if not texts:
        raise EmptyData("texts", "parity of an export is measured on them")
    path = folder / f"{form}.onnx"
    fused = _write(module, path, form, max_length)
    answers = Form(tuple(labels), max_length, tokenizer.to_str().encode(), scoring)
    runtime = answers.runtime(path.read_bytes())
    encoder = TextEncoder(answers.tokenizer, max_length)
    reference = torch_probabilities(module, encoder.encode, texts, scoring)
    parity = compare(reference, runtime.predict(texts), scoring)
    variant = Variant(
        name=form,
        path=path,
        bytes=path.stat().st_size,
        agreement=parity.agreement,
        largest_difference=parity.largest_difference,
        p50_ms=median_ms({form: runtime}, sorted(texts, key=len)[len(texts) // 2])[form],
        verdict=SHIPS,
    )
    return Variants(
        variants=(variant,),
        chosen=variant,
        fused=fused,
        texts=len(texts),
        form=answers,
        parameters=count_parameters(module),
    )


def _write(module: torch.nn.Module, path: Path, form: SingleForm, max_length: int) -> dict[str, int]:
    plain = path.with_name("plain.onnx")
    write_onnx(module, plain, max_length=max_length)
    try:
        if form == "fused":
            return fuse(plain, path)
        fused = fuse(plain, plain, embeddings=False)
        quantize_embeddings(plain, plain)
        quantize_products(plain, path)
        return fused
    finally:
        plain.unlink()
