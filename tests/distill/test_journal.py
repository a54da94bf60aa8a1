"""The journal remembers what was begun, with what, and what came out."""

from __future__ import annotations

import pytest

from coffey.core.errors import StageInputsChanged
from coffey.distill.journal import StageJournal, StageState


def test_a_finished_stage_is_known_with_its_result(tmp_path):
    """A stage begun twice is resumed, and one that finished gives its result back."""
    journal = StageJournal(tmp_path)
    assert journal.begin("2M", {"texts": "a"}) is None
    assert journal.begin("2M", {"texts": "a"}) is None
    journal.finish("2M", {"texts": "a"}, {"steps": 7})
    finished = StageJournal(tmp_path).begin("2M", {"texts": "a"})
    assert finished is not None
    assert finished.result == {"steps": 7}
    assert [event.state for event in journal.events()] == [
        StageState.STARTED,
        StageState.RESUMED,
        StageState.FINISHED,
    ]
    assert journal.begin("700K", {"texts": "a"}) is None


def test_a_failed_stage_may_be_begun_with_other_inputs(tmp_path):
    """What is tried after a failure is not held to the settings that failed."""
    journal = StageJournal(tmp_path)
    journal.begin("2M", {"settings": "x"})
    journal.fail("2M", {"settings": "x"})
    assert journal.begin("2M", {"settings": "y"}) is None
    with pytest.raises(StageInputsChanged):
        journal.begin("2M", {"settings": "x"})


def test_other_inputs_are_refused_by_name(tmp_path):
    """What changed is listed, also after the stage has finished."""
    journal = StageJournal(tmp_path)
    journal.begin("2M", {"texts": "a", "settings": "x"})
    with pytest.raises(StageInputsChanged, match=r"settings changed"):
        journal.begin("2M", {"texts": "a", "settings": "y"})
    journal.finish("2M", {"texts": "a", "settings": "x"}, {})
    with pytest.raises(StageInputsChanged, match=r"texts changed"):
        journal.begin("2M", {"texts": "b", "settings": "x"})
