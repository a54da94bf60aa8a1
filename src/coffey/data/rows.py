"""From the values of one row to an example, or to the reason why it is none."""

from __future__ import annotations

from collections.abc import Sequence

from coffey.core.errors import BadRow
from coffey.core.records import Example


def to_example(
    text: object, label: object, *, source: str, line: int, separator: str | None = None
) -> Example | BadRow:
    """An example whose text is a non-empty Unicode string without NUL, or what is wrong with it.

    A label may be a string or a whole number (then its decimal form); None and blank mean no label.

    With a `separator` there may be many labels: a list of such labels, or one string that holds them with the
    separator between; they become a tuple, each once. None and blank mean that they are not known; an empty
    list, or the separator alone, that none applies.
    """
    labels = [label] if separator is None else _many(label, separator)
    problem = _text_problem(text) or next(filter(None, map(_label_problem, labels)), None)
    if problem:
        return BadRow(source, line, problem)
    assert isinstance(text, str)
    names = [name for label in labels if label is not None and (name := str(label).strip())]
    if separator is None:
        return Example(text, names[0] if names else None, source, line)
    known = label is not None and label != "" and not (isinstance(label, str) and not label.strip())
    return Example(text, tuple(dict.fromkeys(names)) if known else None, source, line)


def _many(label: object, separator: str) -> Sequence[object]:
    """The labels of a row; what is neither a list nor a string stays what it is, alone."""
    if isinstance(label, str):
        return label.split(separator)
    return label if isinstance(label, (list, tuple)) else [label]


def _text_problem(text: object) -> str | None:
    if text is None or (isinstance(text, str) and not text.strip()):
        return "the text is missing"
    if not isinstance(text, str):
        return f"the text is {_kind(text)}, expected a string"
    return _characters(text, "text")


def _label_problem(label: object) -> str | None:
    if label is None or (isinstance(label, int) and not isinstance(label, bool)):
        return None
    if not isinstance(label, str):
        return f"the label is {_kind(label)}, expected a string or a whole number"
    return _characters(label, "label")


def _characters(value: str, what: str) -> str | None:
    if value.isascii():
        return f"the {what} has a NUL character" if "\0" in value else None
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"the {what} has half of a surrogate pair"
    return f"the {what} has a NUL character" if "\0" in value else None


def _kind(value: object) -> str:
    if isinstance(value, bytes):
        return "bytes that are not UTF-8"
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), f"a {type(value).__name__}")
