"""The keys of a document checked one by one against the schema, all problems at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, cast

import pydantic

from coffey.core.errors import Problem
from coffey.core.ranges import how_to_write
from coffey.core.settings import Settings
from coffey.project.schema import (
    bounds_of,
    choices,
    expected_words,
    hints_of,
    is_required,
    may_be_range,
    model_of,
    section_at,
    walk,
)

KeyPath = tuple[str | int, ...]


class _Absent:
    """Stands for the value of a key that is not in the file."""

    def __repr__(self) -> str:
        return "(not set)"


ABSENT = _Absent()


def field_problems(document: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with single keys: unknown, absent, of the wrong type or out of bounds."""
    try:
        model_of(Settings).model_validate(_with_sections(document))
    except pydantic.ValidationError as exc:
        found = {_path(error["loc"], document): error["type"] for error in exc.errors(include_url=False)}
        deepest = [path for path in found if not any(_is_below(other, path) for other in found)]
        return [_problem(path, found[path], document) for path in deepest]
    return []


def _with_sections(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with an empty table for each absent section, so that its required keys are named."""
    absent = [one.name for one in fields(Settings) if is_required(one) and one.name not in document]
    return {**document, **{name: {} for name in absent}}


def _is_below(path: KeyPath, other: KeyPath) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _path(location: tuple[str | int, ...], document: Mapping[str, Any]) -> KeyPath:
    """The keys and indices of an error's location, without the names of the union members it went through."""
    path: list[str | int] = []
    value: object = document
    for step in location:
        if isinstance(value, Mapping):
            path.append(step)
            value = value.get(step, {} if section_at(tuple(path)) else None)
        elif isinstance(value, list) and isinstance(step, int):
            path.append(step)
            value = value[step]
    return tuple(path)


def _key(path: KeyPath) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _problem(path: KeyPath, kind: str, document: Mapping[str, Any]) -> Problem:
    value = _value_at(path, document)
    if kind == "extra_forbidden":
        return _unknown(path, value)
    if isinstance(path[-1], int):
        return Problem(_key(path), value, "a non-empty string")
    section = section_at(path[:-1])
    if section is None:
        return Problem(_key(path), value, "a value that this version knows")
    annotation = hints_of(section)[str(path[-1])]
    one = next(one for one in fields(section) if one.name == path[-1])
    expected = expected_words(annotation, bounds_of(one))
    if isinstance(value, str) and may_be_range(annotation) and (advice := how_to_write(value)):
        expected = f"{expected}; {advice}"
    if value is ABSENT:
        return Problem(_key(path), value, f"{expected} (required: {one.metadata['meaning']})")
    return Problem(_key(path), value, expected, _nearest(value, choices(annotation)))


def _unknown(path: KeyPath, value: object) -> Problem:
    name = str(path[-1])
    section = section_at(path[:-1])
    names = [one.name for one in fields(section)] if section else []
    elsewhere = [f"{place}.{one.name}" for place, one, _ in walk() if one.name == name]
    near = _nearest(name, names) or (elsewhere[0] if elsewhere else None)
    where = f"a key of [{_key(path[:-1])}]" if len(path) > 1 else "a section"
    return Problem(_key(path), value, f"{where}: {', '.join(names)}", near)


def _nearest(value: object, names: tuple[str, ...] | list[str]) -> str | None:
    near = difflib.get_close_matches(value.casefold(), names, n=1) if isinstance(value, str) else []
    return near[0] if near else None


def _value_at(path: KeyPath, document: Any) -> object:
    value = document
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return cast(object, value)


def valid_values(document: Mapping[str, Any], bad: list[str]) -> dict[str, object]:
    """Every value by its dotted key, the file's or the default, but for those at or below a key in `bad`."""
    values: dict[str, object] = {}
    for section, one, _ in walk():
        key = f"{section}.{one.name}"
        found = _value_at((*section.split("."), one.name), document)
        value = one.default if found is ABSENT else found
        broken = any(name == key or key.startswith(f"{name}.") for name in bad)
        if value is not MISSING and not broken:
            values[key] = value
    return values
