"""Records become JSON values, and what has no JSON form is refused."""

from __future__ import annotations

import enum
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from coffey.core.records import Decision, DecisionKind, Figure, Interval, Origin
from coffey.dashboard.plain import plain


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


@dataclass(frozen=True)
class Odd:
    path: Path
    when: object


def test_records_become_objects_with_their_units_and_enums_their_values() -> None:
    """A record's fields are the keys; nested records and enums are unfolded."""
    decision = Decision(DecisionKind.HEALTHY, "fine", {"agreement": 0.9})
    assert plain(decision) == {"kind": "healthy", "reason": "fine", "numbers": {"agreement": 0.9}}
    assert plain(Figure(1.0, "USD", Origin.ASSUMED)) == {
        "value": 1.0,
        "unit": "USD",
        "origin": "assumed",
        "note": "",
        "modelled": False,
    }
    assert plain([Interval(0.5, 0.4, 0.6, method="wilson")])[0]["method"] == "wilson"  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (np.float32(math.nan), None),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1.0, math.inf]]), [[1.0, None]]),
        (Path("a") / "b", "a/b"),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({Word.YES: Level.LOW, 3: ()}, {"yes": 1, "3": []}),
        (True, True),
        (None, None),
    ],
)
def test_values_without_a_json_form_of_their_own_get_one(value: object, expected: object) -> None:
    """numpy values, paths, sets, enums as keys, NaN and infinities all end as plain JSON."""
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("value", [object(), b"bytes", Odd(Path("x"), object()), len])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    """An unknown kind is an error that names it, never a silent text."""
    with pytest.raises(TypeError, match="has no JSON form"):
        plain(value)
