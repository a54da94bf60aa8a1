"""From the values of one row to an example, or to the reason why it is none."""

from __future__ import annotations

from coffey.core.errors import BadRow
from coffey.core.records import Example


def to_example(text: object, label: object, *, source: str, line: int) -> Example | BadRow:
    """An example whose text is a non-empty Unicode string without NUL, or what is wrong with it.

    A label may be a string or a whole number (then its decimal form); None and blank mean no label.
    """
    problem = _text_problem(text) or _label_problem(label)
    if problem:
        return BadRow(source, line, problem)
    assert isinstance(text, str)
    named = None if label is None or label == "" else str(label).strip() or None
    return Example(text, named, source, line)


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
