"""The Python API says what the commands say."""

from __future__ import annotations

import pytest

import coffey
from coffey.core.errors import AliasMoved, ConfigError, UnknownVersion


def test_the_public_name_is_the_project(distilled):
    """`coffey.Project` loads a file, and knows its settings and its store."""
    project = coffey.Project.load(str(distilled.config))
    assert project.settings.project.name == "small"
    assert project.store == distilled.store
    assert project.workspace.folder == distilled.folder


def test_promote_and_rollback_move_the_aliases(two_versions):
    """Promotion by name; rollback swaps back at once; a second rollback is its own undo."""
    project, champion, other = two_versions
    assert project.load().promote("other", reason="a test") == other
    assert project.load().models().aliases == {"champion": "other", "previous": champion.name}
    assert project.load().rollback() == champion
    assert project.load().models().aliases == {"champion": champion.name, "previous": "other"}
    assert project.load().rollback() == other
    assert [event.who for event in project.load().models().events[-3:]] == ["python"] * 3


def test_promotion_by_digest(two_versions):
    """A digest names a version as well."""
    project, _, other = two_versions
    assert project.load().promote(other.digest).name == "other"


def test_promoting_the_champion_is_no_change(live):
    """No event is added."""
    before = live.load().models()
    assert live.load().promote("champion").name == before.aliases["champion"]
    assert live.load().models() == before


def test_a_champion_that_moved_meanwhile_is_not_replaced(two_versions, monkeypatch):
    """Between the look at the champion and the move another process promoted: AliasMoved, nothing moves."""
    project, champion, other = two_versions
    mine, theirs = project.load(), project.load()
    third = type(other)("third", "e" * 64, other.artifact, other.student, other.contract)
    theirs.workspace.registry.add(third, who="test")
    looked = mine.workspace.registry.alias

    def look(name):
        found = looked(name)
        theirs.promote("third")
        return found

    monkeypatch.setattr(mine.workspace.registry, "alias", look)
    with pytest.raises(AliasMoved, match="'third'"):
        mine.promote("other")
    assert project.load().models().aliases["champion"] == "third"


def test_there_is_nothing_to_promote_or_to_roll_back(untouched):
    """Both say what is known, and what to run."""
    with pytest.raises(UnknownVersion, match="coffey distill"):
        untouched.load().promote()
    with pytest.raises(UnknownVersion):
        untouched.load().rollback()


def test_a_configuration_is_refused_as_a_whole(untouched):
    """Every problem in one error."""
    untouched.edit("epochs = 16", "epochs = -1")
    untouched.edit("max_usd = 10", "max_used = 10")
    with pytest.raises(ConfigError) as caught:
        untouched.load()
    assert {problem.key for problem in caught.value.problems} == {"chain.epochs", "budget.max_used"}
