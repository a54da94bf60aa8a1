"""The journal remembers what was begun, with what, and what came out."""

from __future__ import annotations

import json
import random

import pytest

from coffey.core.errors import EventDamaged, StageInputsChanged
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


def test_a_decision_is_noted_once_and_leaves_the_stage_finished(tmp_path):
    """The same decision again is no event, another one is; the stage is not trained anew for either."""
    journal = StageJournal(tmp_path)
    journal.begin("2M", {"texts": "a"})
    journal.finish("2M", {"texts": "a"}, {"steps": 7})
    for kept, why in ((True, {"rows": (1, 2)}), (True, {"rows": (1, 2)}), (False, {"rows": (1, 2)})):
        journal.decide("2M", kept=kept, why=why)
    noted = [event for event in journal.events() if event.state.decides]
    assert [event.state for event in noted] == [StageState.KEPT, StageState.DROPPED]
    assert noted[0].result == {"rows": [1, 2]}
    finished = journal.begin("2M", {"texts": "a"})
    assert finished is not None
    assert finished.result == {"steps": 7}


def test_a_changed_event_is_refused_by_its_file(tmp_path):
    """A flipped bit may leave the JSON readable: a result that nobody measured is not believed."""
    journal, draw = StageJournal(tmp_path), random.Random(5)
    journal.begin("2M", {"texts": "a"})
    journal.finish("2M", {"texts": "a"}, {"steps": 7, "shape": (1, 2)})
    path = tmp_path / "000002.json"
    whole = path.read_bytes()
    assert [event.stage for event in journal.events()] == ["2M", "2M"]
    path.write_bytes(whole.replace(b'"steps": 7', b'"steps": 9'))
    with pytest.raises(EventDamaged, match=r"000002\.json.*digest"):
        journal.begin("2M", {"texts": "a"})
    said = []
    for position in draw.sample(range(len(whole)), 60):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        try:
            found = list(journal.events())[1]
        except EventDamaged as exc:
            said.append(str(exc))
        else:
            assert (found.state, found.result) == (StageState.FINISHED, {"steps": 7, "shape": [1, 2]})
    assert len(said) > 30
    assert all("000002.json" in one for one in said)


def test_an_event_of_an_earlier_version_has_no_digest(tmp_path):
    """It is read as it is."""
    journal = StageJournal(tmp_path)
    journal.finish("2M", {}, {"steps": 7})
    path = tmp_path / "000001.json"
    event = json.loads(path.read_bytes())
    del event["sha256"]
    path.write_text(json.dumps(event))
    assert [one.result for one in journal.events()] == [{"steps": 7}]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"null", b'{"stage": "x", "state": "flying"}', b"\xff"]
)
def test_what_is_no_event_is_named(tmp_path, content):
    """Whatever it is instead."""
    (tmp_path / "000001.json").write_bytes(content)
    with pytest.raises(EventDamaged, match=r"000001\.json"):
        list(StageJournal(tmp_path).events())
