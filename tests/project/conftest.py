"""A registry with a champion and another version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coffey.registry.protocol import CHAMPION


@pytest.fixture
def two_versions(live):
    """A project, its champion, and another version that is registered and nothing more."""
    registry = live.load().workspace.registry
    champion = registry.resolve(CHAMPION)
    other = replace(champion, name="other", digest="f" * 64)
    registry.add(other, who="test")
    return live, champion, other
