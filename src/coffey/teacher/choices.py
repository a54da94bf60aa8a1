"""How a language model spells the labels, and which label it meant by what it wrote.

Upper and lower case, white space and quotes around an answer do not matter, nor what follows a complete
label after something that is no letter or digit (`Positive.`). An answer that names two labels names none.
"""

from __future__ import annotations

import enum
import re
import string
from collections.abc import Sequence

from coffey.core.errors import ConfigError, Problem

_AROUND = " \t\r\n\"'`*"
"""What models put around an answer: white space, quotes, Markdown."""


class Spelling(enum.Enum):
    """What the model is to write for a label."""

    NAMES = "names"
    """The label's name."""
    LETTERS = "letters"
    """A letter from A on: one token each, so that names that begin alike are told apart at once."""


class Choices:
    """The labels as the model is shown them and as it answers them."""

    def __init__(self, labels: Sequence[str], spelling: Spelling = Spelling.NAMES) -> None:
        """Raises ConfigError when two labels would be spelled alike, or there are too many for letters."""
        self._labels = tuple(labels)
        lettered = spelling is Spelling.LETTERS
        if lettered and len(labels) > len(string.ascii_uppercase):
            expected = f"'names', as there are {len(labels)} labels and 26 letters"
            raise ConfigError("teacher", [Problem("teacher.asking.spelling", spelling.value, expected)])
        self._shown = tuple(string.ascii_uppercase[: len(labels)]) if lettered else self._labels
        self._spelled = tuple(name.strip(_AROUND).casefold() for name in self._shown)
        for at, name in enumerate(self._spelled):
            if not name or name in self._spelled[:at]:
                expected = "names that differ in more than case and the characters around them"
                raise ConfigError("teacher", [Problem("task.labels", self._shown[at], expected)])

    def listed(self) -> str:
        """The labels as a prompt shows them, one a line.

        >>> print(Choices(["bad", "good"], Spelling.LETTERS).listed())
        A: bad
        B: good
        """
        if self._shown == self._labels:
            return "\n".join(f"- {name}" for name in self._labels)
        return "\n".join(f"{shown}: {name}" for shown, name in zip(self._shown, self._labels, strict=True))

    def read(self, answer: str) -> int | None:
        """The index of the one label that an answer names; None when it names none, or several.

        >>> choices = Choices(["credit", "credit card", "other"])
        >>> [choices.read(said) for said in (' "Credit card".', "credit", "credits", "credit or other")]
        [1, 0, None, None]
        """
        said = answer.strip(_AROUND).casefold()
        named = max(self._completed(said), key=lambda at: len(self._spelled[at]), default=None)
        if named is None:
            return None
        rest = said[len(self._spelled[named]) :]
        others = (name for at, name in enumerate(self._spelled) if at != named)
        return None if any(_names(name, rest) for name in others) else named

    def begun(self, beginning: str) -> list[int]:
        """The labels that an answer with this beginning may still name; all when it says nothing yet.

        >>> choices = Choices(["credit", "credit card", "other"])
        >>> choices.begun(" Cr"), choices.begun("credit c"), choices.begun("Other."), choices.begun("x")
        ([0, 1], [1], [2], [])
        """
        said = beginning.lstrip(_AROUND).casefold()
        going_on = [at for at, name in enumerate(self._spelled) if name.startswith(said)]
        complete = self._completed(said)
        if going_on:
            bare = [at for at in complete if not _has_word(said[len(self._spelled[at]) :])]
            return sorted({*going_on, *bare})
        return [max(complete, key=lambda at: len(self._spelled[at]))] if complete else []

    def _completed(self, said: str) -> list[int]:
        """The labels that stand at the start of `said`, whole."""
        return [
            at
            for at, name in enumerate(self._spelled)
            if said.startswith(name) and not said[len(name) : len(name) + 1].isalnum()
        ]


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _names(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
