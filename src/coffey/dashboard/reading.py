"""Reading a result that may lack anything: what is absent or of another kind is None, never invented."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

from coffey.core.records import Interval, JsonObject

EMPTY: JsonObject = {}


def part(result: object, *keys: str) -> object:
    """The value under a path of keys, or None.

    >>> part({"a": {"b": 3}}, "a", "b"), part({"a": 1}, "a", "b")
    (3, None)
    """
    value = result
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def obj(result: object, *keys: str) -> JsonObject:
    """The object under a path; an empty one when there is none."""
    found = part(result, *keys)
    return cast(JsonObject, found) if isinstance(found, Mapping) else EMPTY


def rows(result: object, *keys: str) -> list[JsonObject]:
    """The objects of the list under a path."""
    return [cast(JsonObject, item) for item in items(result, *keys) if isinstance(item, Mapping)]


def items(result: object, *keys: str) -> list[object]:
    """The list under a path."""
    found = part(result, *keys)
    return list(found) if isinstance(found, Sequence) and not isinstance(found, str | bytes) else []


ACCURACY = "accuracy"


def measure_name(result: JsonObject) -> str:
    """What the quality against true labels is called in a result of `distill`."""
    return words(result, "student", "measure") or ACCURACY


def number(result: object, *keys: str) -> float | None:
    """The finite number under a path."""
    found = part(result, *keys)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if math.isfinite(found) else None


def words(result: object, *keys: str) -> str:
    """The text (or number) under a path; empty when there is none."""
    found = part(result, *keys)
    return "" if found is None or isinstance(found, Mapping | list | tuple) else str(found)


def flag(result: object, *keys: str) -> bool | None:
    """The truth value under a path."""
    found = part(result, *keys)
    return found if isinstance(found, bool) else None


def estimate(result: object, *keys: str) -> Interval | None:
    """The interval {value, low, high} under a path."""
    value, low, high = (number(result, *keys, end) for end in ("value", "low", "high"))
    return None if value is None or low is None or high is None else Interval(value, low, high)


def points(result: object, *keys: str) -> list[tuple[float, float]]:
    """The pairs of numbers of the list under a path."""
    pairs = [item for item in items(result, *keys) if isinstance(item, Sequence) and len(item) == 2]
    found = [(number({"x": pair[0]}, "x"), number({"y": pair[1]}, "y")) for pair in pairs]
    return [(x, y) for x, y in found if x is not None and y is not None]
