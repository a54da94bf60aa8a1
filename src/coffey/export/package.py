"""From the chosen variant to a signed artifact, with quality measured on the bytes that ship."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from coffey._version import __version__
from coffey.artifact.manifest import (
    CARD,
    FORMAT,
    LABELS,
    MANY_LABELS_FORMAT,
    MODEL,
    TOKENIZER,
    Expected,
    Lineage,
    Manifest,
    Quantization,
    VariantEntry,
)
from coffey.artifact.predictor import Predictor
from coffey.artifact.runtime import Runtime
from coffey.artifact.signing import Signer, Trust
from coffey.artifact.write import write_artifact
from coffey.core.records import Latency, Machine, Quality
from coffey.export.card import artifact_card
from coffey.export.export import Variants
from coffey.export.parity import compare
from coffey.export.quality import measure_quality
from coffey.stats.confidence_bins import ConfidenceBins, fit_bins
from coffey.stats.scoring import Scoring, threshold_of

EXAMPLES = 8
"""Texts in the manifest that a server asks again before it swaps: enough to hit every kernel, few to read."""
_EXAMPLE_CHARS = 200
_ODD_TEXTS = ("", "\N{GRINNING FACE} \N{WHITE HEAVY CHECK MARK}")
_BATCH_TEXTS = 256
_RECORDED = ("numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers")

Timing = Callable[[Runtime], tuple[Sequence[Latency], Machine]]


@dataclass(frozen=True, slots=True)
class Holdout:
    """What quality is measured on."""

    texts: Sequence[str]
    teacher_probabilities: npt.NDArray[np.floating]
    """[n, labels]"""
    hard_labels: Sequence[int] | npt.NDArray[np.integer] | None = None
    """Index of each text's true label, -1 where unknown; None when all are. Of a multi-label task sets
    [n, labels], see `scoring.Answers`."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A signed artifact on disk."""

    path: Path
    digest: str
    manifest: Manifest

    @property
    def quality(self) -> Quality:
        """Quality, measured on exactly these bytes through the serving path."""
        return self.manifest.quality


def package_student(
    variants: Variants,
    *,
    name: str,
    root: Path,
    lineage: Lineage,
    holdout: Holdout,
    signer: Signer,
    measure_latency: Timing | None = None,
) -> Packaged:
    """Measure the chosen variant as it will be served, then write, sign and verify the artifact.

    The model's bytes are read once; the runtime that is measured, the digest that is signed and the file that
    is written all come from them. The written folder is opened again, verified and asked its examples.

    Args:
        variants: what `export_student` returned.
        name: of the model, for people.
        root: folder of artifacts; the artifact becomes `root/<digest>`.
        lineage: where the student comes from.
        holdout: never trained on.
        signer: signs the manifest.
        measure_latency: times the runtime, for the latency profile; the profile is empty without it.

    Raises:
        ArtifactError: the written artifact does not answer as the measured one did.
        DataError: the holdout does not fit the labels.
        StoreUnavailable: the artifact cannot be written.
    """
    form, scoring = variants.form, variants.form.scoring
    files = {
        MODEL: variants.chosen.path.read_bytes(),
        TOKENIZER: form.tokenizer,
        LABELS: msgspec.json.encode(form.labels),
    }
    runtime = form.runtime(files[MODEL])
    said = runtime.predict(holdout.texts)
    quality = measure_quality(
        lambda _: said,
        holdout.texts,
        holdout.teacher_probabilities,
        holdout.hard_labels,
        form.labels,
        scoring=scoring,
    )
    latency, machine = measure_latency(runtime) if measure_latency else ((), None)
    manifest = Manifest(
        name=name,
        task=scoring.kind,
        labels=len(form.labels),
        max_length=form.max_length,
        files={},
        params=variants.parameters.total,
        params_without_embeddings=variants.parameters.without_embeddings,
        lineage=lineage,
        quality=quality,
        quantization=_quantization(variants, runtime, holdout.texts),
        latency=tuple(latency),
        machine=machine,
        versions=recorded_versions(),
        examples=_examples(runtime, holdout.texts),
        threshold=threshold_of(scoring),
        bins=_bins(said, holdout, scoring),
        format=MANY_LABELS_FORMAT if scoring.independent else FORMAT,
    )
    card = artifact_card(manifest, form.labels).encode()
    path = write_artifact(root, manifest, {**files, CARD: card}, signer)
    predictor = Predictor.load(path, trust=Trust.of_signer(signer))
    predictor.check_examples()
    return Packaged(path, predictor.digest, predictor.manifest)


def _bins(said: npt.NDArray[np.floating], holdout: Holdout, scoring: Scoring) -> ConfidenceBins | None:
    """Agreement by confidence, of what the student said to the holdout."""
    agreement = scoring.score(scoring.answers(said), scoring.answers(holdout.teacher_probabilities))
    return fit_bins(scoring.confidence(said), agreement)


def _quantization(variants: Variants, runtime: Runtime, texts: Sequence[str]) -> Quantization:
    entries = tuple(
        VariantEntry(
            name=variant.name,
            bytes=variant.bytes,
            agreement=variant.agreement,
            largest_difference=variant.largest_difference,
            p50_ms=variant.p50_ms,
            verdict=variant.verdict,
        )
        for variant in variants.variants
    )
    return Quantization(
        variant=variants.chosen.name,
        parity_texts=variants.texts,
        variants=entries,
        batch_agreement=batch_agreement(runtime, texts[:_BATCH_TEXTS]),
    )


def batch_agreement(runtime: Runtime, texts: Sequence[str]) -> float:
    """How well the answers to `texts` alone agree with those within a batch of their neighbours."""
    alone = np.concatenate([runtime.predict([text]) for text in texts])
    together = runtime.predict(texts)
    return compare(alone, together, runtime.scoring).agreement


def _examples(runtime: Runtime, texts: Sequence[str]) -> tuple[Expected, ...]:
    usual = [text[:_EXAMPLE_CHARS] for text in texts[: EXAMPLES - len(_ODD_TEXTS)]]
    return tuple(
        Expected(text, tuple(float(p) for p in runtime.predict([text])[0])) for text in (*usual, *_ODD_TEXTS)
    )


def recorded_versions() -> dict[str, str]:
    """Versions of Coffey and of what an artifact is made with; what is not installed is left out."""
    found = {"coffey": __version__}
    for package in _RECORDED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
