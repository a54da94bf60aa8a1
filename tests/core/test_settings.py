"""Every setting says what it means, and its default keeps to its own bounds."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from coffey.core import settings
from coffey.core.settings import Settings


def sections(section=Settings):
    yield section
    for kind in typing.get_type_hints(section).values():
        if dataclasses.is_dataclass(kind):
            yield from sections(kind)


FIELDS = [(section, one) for section in sections() for one in dataclasses.fields(section)]


@pytest.mark.parametrize(("section", "one"), FIELDS, ids=lambda value: getattr(value, "name", None))
def test_a_setting_has_a_meaning_and_a_default_within_its_bounds(section, one):
    """No key is unexplained, and a file without it is valid."""
    assert one.metadata["meaning"]
    tests = {
        "ge": lambda x, y: x >= y,
        "gt": lambda x, y: x > y,
        "le": lambda x, y: x <= y,
        "lt": lambda x, y: x < y,
    }
    for name, bound in one.metadata.get("bounds", {}).items():
        if isinstance(one.default, (int, float)):
            assert tests[name](one.default, bound)


def test_settings_are_frozen_and_named():
    """Values cannot change after reading, and none is given by position."""
    for section in sections():
        assert section.__dataclass_params__.frozen
        assert all(one.kw_only for one in dataclasses.fields(section))
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.ServeSettings().port = 1


def test_the_defaults_keep_to_the_rules_between_fields():
    """The default drops are in order."""
    monitor = settings.MonitorSettings()
    assert monitor.redistill_drop >= monitor.max_drop
