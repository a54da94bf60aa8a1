"""Records are frozen, explained, and carry their units in their names."""

from __future__ import annotations

import dataclasses
import enum
import inspect

import pytest

from coffey.core import records

RECORDS = [one for _, one in inspect.getmembers(records, dataclasses.is_dataclass) if inspect.isclass(one)]


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.__name__)
def test_a_record_cannot_change_after_it_was_made(record):
    """Records cross rooms: nobody may change what another has read."""
    assert record.__dataclass_params__.frozen
    assert record.__doc__


def test_states_are_explained_by_words():
    """Every member's value is a word that screens can show."""
    for _, one in inspect.getmembers(records, inspect.isclass):
        if issubclass(one, enum.Enum) and one is not enum.Enum:
            assert all(
                isinstance(member.value, str) and member.value == member.value.lower() for member in one
            )
