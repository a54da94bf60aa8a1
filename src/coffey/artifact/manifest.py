"""What an artifact says about itself: its files, where it comes from, and how good it was measured to be."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from coffey.core.errors import ArtifactError, UnknownFormat
from coffey.core.ids import canonical_json, digest_bytes
from coffey.core.records import Latency, Machine, Quality
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.scoring import Scoring, scoring_of

FORMAT = 1
"""The format this version writes for a task with one label an input.

The rule. An optional key may be added without a new number: old readers ignore it. Whatever an old reader
would misread (a key removed, renamed or given another meaning, a file renamed, another graph input) takes
the next number. This version reads every number in `READABLE`; a number leaves that tuple only in a major
release, and `tests/artifact` keeps an artifact of each. A newer number is refused (`UnknownFormat`), never
guessed at.
"""
MANY_LABELS_FORMAT = 2
"""As format 1, for a multi-label task: each logit goes through a sigmoid, and `threshold` decides."""
READABLE = (FORMAT, MANY_LABELS_FORMAT)

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
LABELS = "labels.json"
CARD = "README.md"
"""The model card, for people: no program reads it. Earlier artifacts have none."""
MANIFEST = "manifest.json"
SIGNATURE = "signature.json"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the artifact."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """One distillation on the way from the teacher to this student."""

    name: str
    params: int
    taught_by: tuple[str, ...]
    validation_agreement: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where the student comes from."""

    teacher: str
    """Fingerprint of the teacher."""
    teacher_source: str
    teacher_params: int | None
    label_digest: str
    """Digest of the set of teacher answers it learned from."""
    created: str
    """ISO 8601 in UTC."""
    stages: tuple[StageEntry, ...] = ()
    previous: str | None = None
    """Digest of the artifact that a re-distillation started from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantEntry:
    """One exported form of the student, beside the trained torch module, on the same texts."""

    name: str
    bytes: int
    agreement: float
    """Share of the texts on which it gives the torch module's label."""
    largest_difference: float
    """Largest absolute difference of a probability."""
    p50_ms: float
    """Median of one text alone, one thread, on the machine that exported it."""
    verdict: str
    """`ships`, or why another variant was chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """Which variant ships, and what it was chosen from."""

    variant: str
    parity_texts: int
    variants: tuple[VariantEntry, ...]
    batch_agreement: float | None = None
    """Share of texts with the same label alone and in a batch (int8 scales are taken over a batch)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A text and the probabilities that this artifact gave it, alone, when it was made."""

    text: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything known about an artifact. Its canonical bytes are what is signed and what names it."""

    name: str
    task: str
    labels: int
    """How many labels; their names are in `labels.json`."""
    max_length: int
    """Tokens read of an input; more is cut."""
    files: dict[str, FileEntry]
    params: int
    params_without_embeddings: int
    lineage: Lineage
    quality: Quality
    quantization: Quantization
    latency: tuple[Latency, ...] = ()
    machine: Machine | None = None
    """The machine that `latency` was measured on."""
    versions: dict[str, str] = field(default_factory=dict)
    examples: tuple[Expected, ...] = ()
    threshold: float | None = None
    """Of a multi-label task: the probability from which a label is given."""
    bins: ConfidenceBins | None = None
    """Agreement with the teacher by confidence, on the examples of `quality`; audits are aimed by it."""
    format: int = FORMAT

    @property
    def scoring(self) -> Scoring:
        """How the model's logits are made probabilities and answers.

        Raises:
            ArtifactError: the task is one that this version does not know.
        """
        try:
            return scoring_of(self.task, self.threshold)
        except ValueError as exc:
            raise ArtifactError(f"Artifact {self.name!r} cannot be used: {exc}") from exc


def content_digest(manifest: Manifest) -> str:
    """Names what answers: model, tokenizer and labels, without the record of how they were made.

    The artifact's own name also covers the time it was made at and the milliseconds measured then, so two
    runs of the same inputs make two artifacts. Their content is the same one.
    """
    answering = {name: entry.sha256 for name, entry in manifest.files.items() if name != CARD}
    return digest_bytes(canonical_json(answering))


class _Numbered(msgspec.Struct):
    format: object = None


def encode(manifest: Manifest) -> bytes:
    """The canonical bytes: sorted keys, no spaces.

    Raises:
        ArtifactError: a figure is not a number (JSON has no NaN), so that nobody signs a gap.
    """
    data = canonical_json(msgspec.to_builtins(manifest))
    try:
        msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as exc:
        raise ArtifactError(f"Manifest of {manifest.name!r} cannot be written: {exc}") from exc
    return data


def decode(data: bytes, path: str) -> Manifest:
    """Read the bytes of a manifest; `path` names it in errors.

    Raises:
        UnknownFormat: the format number is one that this version does not read.
        ArtifactError: the bytes are no manifest.
    """
    try:
        number = msgspec.json.decode(data, type=_Numbered).format
        if not isinstance(number, int) or number not in READABLE:
            raise UnknownFormat(path, number, READABLE)
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as exc:
        raise ArtifactError(f"{path!r} is no artifact manifest: {exc}") from exc


def digest(data: bytes) -> str:
    """The artifact's name: SHA-256 of the manifest's bytes, which hold the digest of every other file."""
    return digest_bytes(data)
