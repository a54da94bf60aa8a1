"""What `coffey.toml` may say, read off the dataclasses of `core/settings.py`."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, Literal, Union, cast

import pydantic

from coffey.core.ranges import Range, read_range
from coffey.core.settings import OrWord, Settings

_STRICT = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_Text = Annotated[str, pydantic.Field(min_length=1, pattern=r"^[^\x00]*$")]
_Texts = Annotated[list[_Text], pydantic.Field(min_length=1)]


@functools.cache
def model_of(section: type) -> type[pydantic.BaseModel]:
    """A pydantic model with the fields and bounds of a settings class; TOML's lists stand for tuples."""
    parts: dict[str, Any] = {}
    for one in fields(section):
        kind, bounds = hints_of(section)[one.name], bounds_of(one)
        ranged = may_be_range(kind)
        limits: Any = {} if ranged else bounds  # a range's bounds are those of its ends
        checked = _amount(kind, bounds) if ranged else _checked(kind)
        parts[one.name] = (checked, pydantic.Field(_default(one), **limits))
    return cast(
        type[pydantic.BaseModel], pydantic.create_model(section.__name__, __config__=_STRICT, **parts)
    )


def hints_of(section: type) -> dict[str, Any]:
    """The types of a settings class's fields, with their `OrWord` marks."""
    return typing.get_type_hints(section, include_extras=True)


def bounds_of(one: Field[Any]) -> Mapping[str, float]:
    """`ge`, `gt`, `le`, `lt` of a field."""
    return cast(Mapping[str, float], one.metadata.get("bounds", {}))


def is_required(one: Field[Any]) -> bool:
    """Whether the file must set the field."""
    return one.default is MISSING and one.default_factory is MISSING


def walk(section: type = Settings, prefix: str = "") -> Iterator[tuple[str, Field[Any], Any]]:
    """Every key below a settings class, in order: its section, its field, its type."""
    for one in fields(section):
        kind = hints_of(section)[one.name]
        if is_dataclass(kind):
            yield from walk(cast(type, kind), f"{prefix}.{one.name}" if prefix else one.name)
        else:
            yield prefix, one, kind


def word_of(kind: Any) -> str | None:
    """The word that may stand in place of a list of this type; None for other types."""
    marks = typing.get_args(kind)[1:] if typing.get_origin(kind) is Annotated else ()
    return next((mark.word for mark in marks if isinstance(mark, OrWord)), None)


def section_at(path: tuple[str | int, ...]) -> type | None:
    """The settings class that the table at `path` of the file is read into; None where there is none."""
    section: type = Settings
    for name in path:
        kind = hints_of(section).get(str(name))
        if not is_dataclass(kind):
            return None
        section = cast(type, kind)
    return section


def may_be_range(kind: Any) -> bool:
    """Whether a field of this type also takes a range `low..high`."""
    return Range in _options(kind)


def holds_numbers(kind: Any) -> bool:
    """Whether a field of this type holds numbers that need not be whole."""
    return float in _options(kind)


def expected_words(kind: Any, bounds: Mapping[str, float]) -> str:
    """What a value of this type is, in words.

    >>> expected_words(float, {"ge": 0, "le": 1}), expected_words(int | None, {"ge": 1})
    ('a number from 0 to 1', 'a whole number of at least 1')
    """
    options = [option for option in _options(kind) if option is not type(None)]
    return " or ".join(_one_kind(option, bounds) for option in options)


def choices(kind: Any) -> tuple[str, ...]:
    """The values of an enumerated type; none for other types."""
    return tuple(str(value) for value in typing.get_args(kind)) if typing.get_origin(kind) is Literal else ()


def _one_kind(kind: Any, bounds: Mapping[str, float]) -> str:
    if word := word_of(kind):
        return f"{_one_kind(typing.get_args(kind)[0], bounds)} or {word!r}"
    if names := choices(kind):
        return f"one of {', '.join(repr(name) for name in names)}"
    if kind is Range:
        return "a range such as '8M..12M'"
    if kind in (int, float):
        noun = "a whole number" if kind is int else "a number"
        return f"{noun} {_range(bounds)}".rstrip()
    if is_dataclass(kind):
        return "a table"
    words = {bool: "true or false", str: "a non-empty string"}
    return words.get(kind, "a list of non-empty strings")


def _range(bounds: Mapping[str, float]) -> str:
    if "ge" in bounds and "le" in bounds:
        return f"from {bounds['ge']:g} to {bounds['le']:g}"
    words = {"gt": "above", "ge": "of at least", "lt": "below", "le": "at most"}
    return " and ".join(f"{word} {bounds[name]:g}" for name, word in words.items() if name in bounds)


def _options(kind: Any) -> tuple[Any, ...]:
    union = typing.get_origin(kind) in (Union, types.UnionType)
    return typing.get_args(kind) if union else (kind,)


def _checked(kind: Any) -> Any:
    """The type that a TOML value is checked against."""
    options = _options(kind)
    if len(options) > 1:
        return Union[tuple(_checked(option) for option in options)]  # noqa: UP007 - built at run time
    if is_dataclass(kind):
        return model_of(cast(type, kind))
    if word := word_of(kind):
        return Union[_checked(typing.get_args(kind)[0]), Literal[word]]  # noqa: UP007 - built at run time
    if typing.get_origin(kind) is tuple:
        return _Texts
    return _Text if kind is str else kind


def _amount(kind: Any, bounds: Mapping[str, float]) -> Any:
    """A number within the bounds, or the text of a range whose ends both are."""
    limits: Any = bounds
    number = pydantic.TypeAdapter(Annotated[float, pydantic.Field(**limits)])

    def check(text: str) -> str:
        found = read_range(text)
        number.validate_python(found.low)
        number.validate_python(found.high)
        return text

    either = Annotated[float, pydantic.Field(**limits)] | Annotated[str, pydantic.AfterValidator(check)]
    return either | None if type(None) in _options(kind) else either


def _default(one: Field[Any]) -> Any:
    """Defaults are never copied into the models: only what the file says reaches the dataclasses."""
    return ... if is_required(one) else None
