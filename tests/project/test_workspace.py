"""The parts of a project are made when they are first needed, once."""

from __future__ import annotations

import pytest

from coffey.core.errors import StoreUnavailable, TeacherUnavailable
from coffey.core.progress import Silent


class Lines(Silent):
    """Progress that keeps what was said."""

    def __init__(self):
        self.said = []

    def say(self, line):
        self.said.append(line)


def test_nothing_is_made_before_it_is_needed(untouched, key_home):
    """Loading a project touches neither the store nor the teacher nor the keys."""
    (untouched.folder / "small_teacher.py").write_text("raise RuntimeError('loaded')")
    space = untouched.load().workspace
    assert not space.store.exists()
    assert space.key_folder == key_home
    with pytest.raises(TeacherUnavailable, match="loaded"):
        _ = space.teacher


def test_each_part_is_made_once(untouched):
    """The same teacher, label store, registry and signer every time; the teacher's loading is told once."""
    lines = Lines()
    space = untouched.load(progress=lines).workspace
    assert space.teacher is space.teacher
    assert space.labels is space.labels
    assert space.registry is space.registry
    assert space.signer is space.signer
    assert lines.said == ["Loading the teacher small_teacher:answer."]


def test_answers_come_from_the_label_store(untouched):
    """What was asked before is not asked again; the rows are those of the texts, in their order."""
    space = untouched.load().workspace
    one, two = untouched.known(2, seed=81)
    first = space.answer([one, two])
    assert (space.answer([two, one, two]) == first[[1, 0, 1]]).all()
    assert (untouched.load().workspace.answer([one]) == first[:1]).all()
    assert sorted(untouched.asked()) == sorted([one, two])


def test_a_store_that_cannot_be_made_is_named(untouched):
    """A file where the store should be is an error that names it."""
    untouched.store.write_text("in the way")
    with pytest.raises(StoreUnavailable, match=r"\.coffey"):
        untouched.load().label()
