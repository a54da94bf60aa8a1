"""From a trained module to the variant that ships: export, fuse, quantize, compare, choose."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from coffey.artifact.encoding import TextEncoder
from coffey.artifact.runtime import Runtime
from coffey.core.errors import EmptyData, ParityExceeded
from coffey.core.progress import Progress, Silent
from coffey.core.settings import ExportSettings
from coffey.export.fuse import fuse
from coffey.export.onnx import write_onnx
from coffey.export.parameters import ParameterCount, count_parameters
from coffey.export.parity import Parity, compare, torch_probabilities
from coffey.export.quantize import quantize_embeddings, quantize_products
from coffey.export.timing import median_ms
from coffey.stats.scoring import ONE_LABEL, Scoring

SHIPS = "ships"
PARITY_TEXTS = 1000
"""Texts that parity is measured on, at most: at 0.99, the standard error is 0.003."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One exported form of a module, beside the module on the same texts."""

    name: str
    """`fp32`, `fused`, `int8-embeddings` or `int8`."""
    path: Path
    """The ONNX file."""
    bytes: int
    agreement: float
    largest_difference: float
    p50_ms: float
    """Median of the median text alone, one thread, this machine; all variants in turns."""
    verdict: str = ""
    """`ships`, or why another variant was chosen."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a graph needs beside itself to answer."""

    labels: tuple[str, ...]
    max_length: int
    tokenizer: bytes
    """`tokenizer.json`"""
    scoring: Scoring = ONE_LABEL

    def runtime(self, model: bytes, *, threads: int = 1) -> Runtime:
        """The graph `model` at work, in the way artifacts are served."""
        return Runtime(
            model=model,
            tokenizer=self.tokenizer,
            labels=self.labels,
            max_length=self.max_length,
            threads=threads,
            scoring=self.scoring,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """Every variant of one module, and what any of them needs to answer."""

    variants: tuple[Variant, ...]
    chosen: Variant
    fused: dict[str, int]
    """Nodes of each fused kind."""
    texts: int
    """How many texts the parity was measured on."""
    form: Form
    parameters: ParameterCount

    def named(self, name: str) -> Variant:
        """The variant called `name`; KeyError when there is none."""
        return {variant.name: variant for variant in self.variants}[name]

    def runtime(self, name: str | None = None, *, threads: int = 1) -> Runtime:
        """A variant at work (the chosen one without a name), in the way artifacts are served."""
        variant = self.chosen if name is None else self.named(name)
        return self.form.runtime(variant.path.read_bytes(), threads=threads)


def export_student(  # noqa: PLR0913 - an export is decided by all of these
    module: torch.nn.Module,
    tokenizer: Tokenizer,
    *,
    labels: Sequence[str],
    max_length: int,
    folder: Path,
    holdout_texts: Sequence[str],
    settings: ExportSettings,
    progress: Progress | None = None,
    scoring: Scoring = ONE_LABEL,
) -> Variants:
    """Write the variants of `module` into `folder`, compare each with the module, choose the one that ships.

    The smallest file within `settings.min_parity` ships. Works for a teacher's module too.

    Args:
        module: `(input_ids, attention_mask) -> (logits, features)`; it is not changed.
        tokenizer: what made the ids it was trained on.
        labels: names in the order of the logits.
        max_length: tokens read of a text; within the module's positions.
        folder: for the ONNX files; made when absent, files in it are replaced.
        holdout_texts: what parity is measured on; of more than `PARITY_TEXTS`, evenly spaced ones.
        settings: the bound, and whether int8 is tried.
        progress: hears about each variant.
        scoring: of the task.

    Raises:
        ParityExceeded: even the plain fp32 graph does not say what the module says.
        EmptyData: no holdout text.
        StoreUnavailable: a file cannot be written.
    """
    if not holdout_texts:
        raise EmptyData("holdout", "parity of an export is measured on it")
    texts = holdout_texts[:: -(-len(holdout_texts) // PARITY_TEXTS)]
    told = progress or Silent()
    told.start("export", 4 if settings.int8 else 2, "variants")
    paths, fused = _write(module, folder, max_length, settings.int8, told)
    form = Form(tuple(labels), max_length, tokenizer.to_str().encode(), scoring)
    variants, chosen = choose(_measure(module, form, paths, texts), settings.min_parity)
    told.finish("export", f"{chosen.name}: {chosen.bytes / 1e6:.2f} MB, agreement {chosen.agreement:.4f}")
    return Variants(
        variants=variants,
        chosen=chosen,
        fused=fused,
        texts=len(texts),
        form=form,
        parameters=count_parameters(module),
    )


def choose(variants: Sequence[Variant], min_parity: float) -> tuple[tuple[Variant, ...], Variant]:
    """Give each variant its verdict; the smallest within `min_parity` ships.

    Raises:
        ParityExceeded: the variant `fp32` is not within the bound, so the graph is wrong.
    """
    plain = next(variant for variant in variants if variant.name == "fp32")
    if not plain.agreement >= min_parity:
        raise ParityExceeded(plain.name, plain.agreement, min_parity)
    within = [variant for variant in variants if variant.agreement >= min_parity]
    best = min(within, key=lambda variant: (variant.bytes, variant.p50_ms))
    judged = tuple(dataclasses.replace(v, verdict=_verdict(v, best, plain, min_parity)) for v in variants)
    return judged, next(variant for variant in judged if variant.verdict.startswith(SHIPS))


def _verdict(variant: Variant, best: Variant, plain: Variant, min_parity: float) -> str:
    if variant is best:
        slower = variant.p50_ms > plain.p50_ms
        return f"{SHIPS}, though slower than fp32 for one text here" if slower else SHIPS
    if not variant.agreement >= min_parity:
        return f"agreement {variant.agreement:.4f} is below {min_parity:g}"
    return f"larger than {best.name}" if variant.bytes > best.bytes else f"slower than {best.name}"


def _write(
    module: torch.nn.Module, folder: Path, max_length: int, int8: bool, told: Progress
) -> tuple[dict[str, Path], dict[str, int]]:
    names = ("fp32", "fused", "int8-embeddings", "int8") if int8 else ("fp32", "fused")
    paths = {name: folder / f"{name}.onnx" for name in names}
    write_onnx(module, paths["fp32"], max_length=max_length)
    told.advance("export", 1, "fp32")
    fused = fuse(paths["fp32"], paths["fused"])
    told.advance("export", 1, "fused")
    if int8:
        apart = folder / "apart.onnx"
        fuse(paths["fp32"], apart, embeddings=False)
        quantize_embeddings(apart, paths["int8-embeddings"])
        told.advance("export", 1, "int8-embeddings")
        quantize_products(paths["int8-embeddings"], paths["int8"])
        told.advance("export", 1, "int8")
        apart.unlink()
    return paths, fused


def _measure(
    module: torch.nn.Module, form: Form, paths: dict[str, Path], texts: Sequence[str]
) -> list[Variant]:
    encoder = TextEncoder(form.tokenizer, form.max_length)
    reference = torch_probabilities(module, encoder.encode, texts, form.scoring)
    runtimes = {name: form.runtime(path.read_bytes()) for name, path in paths.items()}
    times = median_ms(runtimes, sorted(texts, key=len)[len(texts) // 2])
    return [
        _variant(name, path, compare(reference, runtimes[name].predict(texts), form.scoring), times[name])
        for name, path in paths.items()
    ]


def _variant(name: str, path: Path, parity: Parity, p50_ms: float) -> Variant:
    return Variant(
        name=name,
        path=path,
        bytes=path.stat().st_size,
        agreement=parity.agreement,
        largest_difference=parity.largest_difference,
        p50_ms=p50_ms,
    )
