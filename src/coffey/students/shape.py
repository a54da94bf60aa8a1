"""The shape of an encoder: what decides its size and, mostly, its latency."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace

from coffey.core.errors import ConfigError, Problem

HEAD_WIDTH = 32
"""Widths are multiples of it: vector units are filled, and heads of MiniLM-like teachers fit."""

TOLERANCE = 0.10
"""How far a parameter count may be from its target before the target is refused."""

_LAYERS_SHARE = 0.45
"""Preferred share of parameters in the layers: lookup tables cost no time, layers do the reading."""

_WORDS_WEIGHT = 0.6
"""Dislike of cutting all words down to their characters, against being off in the share of the layers."""

_EMBEDDINGS = (0, 32, 64, 128)
"""Tried for a target: none, then the narrower tables whose projection fills vector units as well."""

_TARGET = re.compile(r"(\d+(?:\.\d+)?)\s*([KMB]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """Everything that decides how many parameters a student has."""

    layers: int
    width: int
    heads: int
    intermediate: int
    """Neurons between the two linear maps of a layer."""
    vocabulary: int
    max_length: int
    """Positions, in tokens."""
    labels: int
    embedding: int = 0
    """Numbers a token in the table, which a projection widens; 0 for `width`, and no projection."""

    def parameters(self) -> int:
        """All parameters."""
        tables = self.vocabulary * (self.embedding or self.width) + self.max_length * self.width
        return tables + self.parameters_without_embeddings()

    def parameters_without_embeddings(self) -> int:
        """Parameters outside the token and position tables: the ones that every token is multiplied with."""
        norms = 2 * self.width
        attention = 4 * (self.width * self.width + self.width)
        feed_forward = 2 * self.width * self.intermediate + self.intermediate + self.width
        classifier = self.width * self.labels + self.labels
        projection = self.embedding * self.width
        return projection + norms + self.layers * (attention + feed_forward + 2 * norms) + classifier

    def reduces_to(self, other: EncoderShape) -> bool:
        """Whether its weights can be reduced to another, with no more width, heads, neurons or positions."""
        return (
            self.width >= other.width
            and self.heads >= other.heads
            and self.intermediate >= other.intermediate
            and self.max_length >= other.max_length
        )

    def __str__(self) -> str:
        """The shape as `coffey.toml` writes it, without what the task decides."""
        return (
            f"layers={self.layers},width={self.width},heads={self.heads},"
            f"intermediate={self.intermediate},vocabulary={self.vocabulary}"
            f"{f',embedding={self.embedding}' if self.embedding else ''}"
        )

    def as_json(self) -> dict[str, int]:
        """The fields by name; as they were written before there was `embedding`, where it is 0."""
        return {name: value for name, value in asdict(self).items() if name != "embedding" or value}


def parse_encoder(
    stage: str,
    *,
    labels: int,
    vocabulary: int,
    max_length: int,
    smallest_vocabulary: int = 0,
    source: EncoderShape | None = None,
) -> EncoderShape:
    """The shape that a stage's text asks for.

    Args:
        stage: a parameter target (`2M`, `700K`) or a shape (`layers=3,width=192`; `heads`, `intermediate`,
            `vocabulary` and `embedding` may follow; by default heads of 32, 4 x width, all of the
            vocabulary, and a table as wide as the layers).
        labels: number of labels.
        vocabulary: tokens that are worth having; a target may take fewer, never more.
        max_length: positions, in tokens.
        smallest_vocabulary: tokens that no student can do without (`vocabulary.Census.fallback`).
        source: what a student of the target should be able to start from, where some shape can.

    Raises:
        ConfigError: the text cannot be read, or no shape comes within 10 % of the target.

    >>> parse_encoder("layers=2,width=64", labels=3, vocabulary=1000, max_length=32).intermediate
    256
    """
    base = EncoderShape(1, HEAD_WIDTH, 1, HEAD_WIDTH, vocabulary, max_length, labels)
    wanted = read_target(stage)
    if wanted is not None:
        return _fit(stage, wanted, base, min(smallest_vocabulary, vocabulary), source)
    return _read(stage, base, smallest_vocabulary)


def read_target(text: str) -> int | None:
    """A number of parameters such as `2M` or `700K`; None where the text is no such number.

    >>> read_target("1.5M"), read_target("layers=2")
    (1500000, None)
    """
    target = _TARGET.fullmatch(text.strip())
    return round(float(target[1]) * _UNITS[target[2].upper()]) if target else None


def read_sizes(stage: str, text: str, names: Collection[str], expected: str) -> dict[str, int]:
    """The positive integers of `name=number,…`.

    Raises:
        ConfigError: another name, or no positive integer; it names `stage` and what was `expected`.
    """
    values: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name not in names or not number.isdigit() or int(number) < 1:
            raise refused(stage, expected)
        values[name] = int(number)
    return values


def refused(stage: str, expected: str) -> ConfigError:
    """The error of a stage's text that no student can be made of."""
    return ConfigError("chain", [Problem("chain.stages", stage, expected)])


def _read(stage: str, base: EncoderShape, smallest_vocabulary: int) -> EncoderShape:
    names = ("layers", "width", "heads", "intermediate", "vocabulary", "embedding")
    expected = "a parameter target like '2M', or 'layers=3,width=192,…' of positive integers"
    values = read_sizes(stage, stage, names, expected)
    if "layers" not in values or "width" not in values:
        raise refused(stage, "at least layers=… and width=…")
    width = values["width"]
    heads = values.get("heads", max(1, width // HEAD_WIDTH))
    if width % heads:
        raise refused(stage, f"a width that {heads} heads divide")
    tokens = max(min(values.get("vocabulary", base.vocabulary), base.vocabulary), smallest_vocabulary)
    return replace(
        base,
        layers=values["layers"],
        width=width,
        heads=heads,
        intermediate=values.get("intermediate", 4 * width),
        vocabulary=tokens,
        embedding=values.get("embedding", 0),
    )


def _fit(
    stage: str, wanted: int, base: EncoderShape, smallest_vocabulary: int, source: EncoderShape | None
) -> EncoderShape:
    candidates = [
        shape
        for shape in _candidates(wanted, base, smallest_vocabulary)
        if abs(shape.parameters() / wanted - 1) <= TOLERANCE
    ]
    if not candidates:
        smallest = replace(base, heads=1, intermediate=2 * HEAD_WIDTH, vocabulary=smallest_vocabulary)
        raise refused(
            stage,
            f"a target that some shape comes within 10 % of; with {base.vocabulary} tokens "
            f"(at least {smallest_vocabulary}) and {base.labels} labels the smallest student has "
            f"{smallest.parameters():,} parameters",
        )
    if source is not None:
        candidates = [shape for shape in candidates if source.reduces_to(shape)] or candidates
    return min(candidates, key=lambda shape: _dislike(shape, wanted, base.vocabulary, smallest_vocabulary))


def _candidates(wanted: int, base: EncoderShape, smallest_vocabulary: int) -> Iterator[EncoderShape]:
    for layers in _depths(wanted):
        for width in range(HEAD_WIDTH, 2049, HEAD_WIDTH):
            for ratio, embedding in itertools.product((4, 3, 2), _EMBEDDINGS):
                if 2 * embedding > width:
                    continue
                shape = replace(
                    base,
                    layers=layers,
                    width=width,
                    heads=width // HEAD_WIDTH,
                    intermediate=ratio * width,
                    embedding=embedding,
                )
                affordable = base.vocabulary - math.ceil((shape.parameters() - wanted) / (embedding or width))
                tokens = max(min(base.vocabulary, affordable), smallest_vocabulary, 1)
                yield replace(shape, vocabulary=tokens)


def _depths(wanted: int) -> tuple[int, ...]:
    """Few layers, because latency grows with each; one fewer or more where nothing else fits the target."""
    for limit, depths in (
        (1_500_000, (2, 1)),
        (6_000_000, (3, 2)),
        (20_000_000, (4, 3)),
        (60_000_000, (6, 4)),
    ):
        if wanted <= limit:
            return depths
    return (12, 6)


def _dislike(shape: EncoderShape, wanted: int, useful: int, smallest: int) -> float:
    total = shape.parameters()
    off_target = abs(math.log(total / wanted))
    layers_share = shape.parameters_without_embeddings() / total
    narrow = 4 - shape.intermediate / shape.width
    shallow = _depths(wanted)[0] - shape.layers
    words_cut = (useful - shape.vocabulary) / max(1, useful - smallest)
    return (
        2 * off_target
        + abs(layers_share - _LAYERS_SHARE)
        + _WORDS_WEIGHT * words_cut
        + 0.05 * narrow
        + 0.2 * shallow
    )
