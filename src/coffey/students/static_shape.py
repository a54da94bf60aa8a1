"""The shape of a static student: a table of token vectors and a small head."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from coffey.students.shape import TOLERANCE, read_sizes, read_target, refused

PREFIX = "static:"
"""How the text of such a stage begins."""

_WIDTHS = range(8, 1025, 4)
_USEFUL_WIDTH = 64
"""Width from which more words are worth more than more width."""

_EXPECTED = (
    "'static:' and a parameter target such as 300K, or 'static:width=64' with vocabulary=… and hidden=… "
    "of positive integers"
)


@dataclass(frozen=True, slots=True)
class StaticShape:
    """Everything that decides how many parameters a static student has."""

    width: int
    """Numbers a token."""
    vocabulary: int
    max_length: int
    """Tokens that are read of a text."""
    labels: int
    hidden: int = 0
    """Neurons between the mean of a text and the classifier; 0 for none."""

    def parameters(self) -> int:
        """All parameters: vectors, one weight a token, head."""
        return self.vocabulary * (self.width + 1) + self.parameters_without_embeddings()

    def parameters_without_embeddings(self) -> int:
        """Parameters of the head, which reads a text once, however long it is."""
        hidden = (self.width + 1) * self.hidden
        return hidden + ((self.hidden or self.width) + 1) * self.labels

    def __str__(self) -> str:
        """The shape as `coffey.toml` writes it, without what the task decides."""
        hidden = f",hidden={self.hidden}" if self.hidden else ""
        return f"{PREFIX}width={self.width},vocabulary={self.vocabulary}{hidden}"

    def as_json(self) -> dict[str, int | str]:
        """The fields by name, and the family."""
        return {"family": "static", **asdict(self)}


def parse_static(
    stage: str, *, labels: int, vocabulary: int, max_length: int, smallest_vocabulary: int = 0
) -> StaticShape:
    """The shape that a stage's text asks for.

    Args:
        stage: `static:300K` (a parameter target) or `static:width=64` (`vocabulary` and `hidden` may follow).
        labels: number of labels.
        vocabulary: tokens that are worth having; a target may take fewer, never more.
        max_length: tokens that are read of a text.
        smallest_vocabulary: tokens that no student can do without (`vocabulary.Census.fallback`).

    Raises:
        ConfigError: the text cannot be read, or no shape comes within 10 % of the target.

    >>> parse_static("static:width=32", labels=3, vocabulary=1000, max_length=32).parameters()
    33099
    """
    text = stage.strip().removeprefix(PREFIX)
    smallest = min(smallest_vocabulary, vocabulary)
    base = StaticShape(_WIDTHS[0], vocabulary, max_length, labels)
    wanted = read_target(text)
    if wanted is not None:
        return _fit(stage, wanted, base, smallest)
    sizes = read_sizes(stage, text, ("width", "vocabulary", "hidden"), _EXPECTED)
    if "width" not in sizes:
        raise refused(stage, _EXPECTED)
    sizes["vocabulary"] = max(min(sizes.get("vocabulary", vocabulary), vocabulary), smallest)
    return replace(base, **sizes)


def _fit(stage: str, wanted: int, base: StaticShape, smallest: int) -> StaticShape:
    near = [
        shape
        for shape in _candidates(wanted, base, smallest)
        if abs(shape.parameters() - wanted) <= TOLERANCE * wanted
    ]
    if not near:
        least, most = (
            replace(base, vocabulary=smallest).parameters(),
            replace(base, width=_WIDTHS[-1]).parameters(),
        )
        raise refused(
            stage,
            f"a target between {least:,} and {most:,} parameters: with {base.vocabulary} tokens "
            f"(at least {smallest}) and {base.labels} labels no other static student can be made",
        )
    return min(near, key=lambda shape: _dislike(shape, wanted, base.vocabulary, smallest))


def _candidates(wanted: int, base: StaticShape, smallest: int) -> Iterator[StaticShape]:
    for width in _WIDTHS:
        shape = replace(base, width=width)
        affordable = (wanted - shape.parameters_without_embeddings()) // (width + 1)
        yield replace(shape, vocabulary=max(min(base.vocabulary, affordable), smallest, 1))


def _dislike(shape: StaticShape, wanted: int, useful: int, smallest: int) -> float:
    narrow = max(0.0, math.log(_USEFUL_WIDTH / shape.width))
    words_cut = (useful - shape.vocabulary) / max(1, useful - smallest)
    return 2 * abs(math.log(shape.parameters() / wanted)) + narrow + words_cut
