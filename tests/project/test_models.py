"""What is live and why, as the registry's log tells it."""

from __future__ import annotations

from coffey.project.models import list_models


def test_nothing_was_registered(untouched):
    """No alias, no version, no event; nothing is made by looking."""
    found = untouched.load().models()
    assert (found.aliases, found.versions, found.events) == ({}, (), ())
    assert not untouched.store.exists()


def test_versions_aliases_and_moves(distilled):
    """The challenger was added, pointed at and promoted, with who and why."""
    found = list_models(distilled.load().workspace.registry)
    (version,) = found.versions
    assert found.aliases == {"champion": version.name}
    assert [(event.kind, event.who) for event in found.events] == [
        ("add", "distill"),
        ("move", "distill"),
        ("promote", "python"),
    ]
    assert found.events[-1].evidence == {"reason": "the first"}
