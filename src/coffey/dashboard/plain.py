"""Records as JSON values: what `--json` prints and what reports are drawn from."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import PurePath


def plain(value: object) -> object:
    """`value` with only dict, list, str, int, float, bool and None in it.

    Frozen records become objects, enums their values, paths strings, sets sorted lists, numpy scalars and
    arrays (anything with `tolist`) numbers and lists; NaN and infinities, which JSON lacks, become None.

    Raises:
        TypeError: something is none of these; a silent `str()` would hide a mistake.

    >>> plain({"a": (1, float("nan")), "b": PurePath("x/y")})
    {'a': [1, None], 'b': 'x/y'}
    """
    if value is None or isinstance(value, bool | str) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return _number_or_list(value)


def _number_or_list(value: object) -> object:
    if type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=repr)
    unboxed = getattr(value, "tolist", None)
    if unboxed is not None:
        return plain(unboxed())
    if isinstance(value, int | float):
        return plain(int(value) if isinstance(value, int) else float(value))
    raise TypeError(f"{type(value).__name__} {value!r} has no JSON form.")


def _key(key: object) -> str:
    return str(plain(key)) if isinstance(key, enum.Enum) else str(key)
