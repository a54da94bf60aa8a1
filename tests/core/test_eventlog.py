"""Events are numbered without gaps, written once, and refused by name when they are not what was written."""

import os

import pytest

from coffey.core.errors import EventDamaged, StoreUnavailable
from coffey.core.eventlog import EventLog


@pytest.fixture
def log(tmp_path):
    """Three events."""
    made = EventLog(tmp_path / "events")
    for number in (1, 2, 3):
        assert made.append(number, {"n": number, "text": "größer"})
    return made


def test_events_come_back_in_order(log):
    """What is read is what was written, from any number on; other files are ignored."""
    (log.folder / "notes.txt").write_text("x")
    (log.folder / "notes.json").write_text("x")
    assert [event.body["n"] for event in log.read()] == [1, 2, 3]
    assert [event.number for event in log.read(after=2)] == [3]
    assert (log.last(), log.last(known=3), log.last(known=1)) == (3, 3, 3)


def test_a_number_is_written_once(log):
    """The second writer of a number is told, and the first one's event stays."""
    assert not log.append(3, {"n": "late"})
    assert [event.body["n"] for event in log.read(after=2)] == [3]


def test_bodies_come_back_as_json(log):
    """Tuples and number keys become what JSON makes of them, and the digest still matches."""
    log.append(4, {"pair": (1, 2), "by": {10: "x", 9: "y"}})
    assert list(log.read(after=3))[0].body == {"pair": [1, 2], "by": {"10": "x", "9": "y"}}


def test_an_absent_folder_is_empty(tmp_path):
    """Reading before the first append finds nothing and makes nothing."""
    log = EventLog(tmp_path / "absent")
    assert (list(log.read()), log.last(), log.folder.exists()) == ([], 0, False)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data.replace(b"gr", b"kl"), "digest"),
        (lambda data: data[:20], "not an event"),
        (lambda data: b"", "not an event"),
        (lambda data: b"[]", "not an event"),
        (lambda data: b"\xff", "not an event"),
        (lambda data: data.replace(b'"number":2', b'"number":5'), "number"),
        (lambda data: data.replace(b'"format":1', b'"format":2'), "format"),
        (lambda data: b'{"format":1,"number":2,"body":3,"sha256":""}', "digest"),
    ],
)
def test_damage_is_named(log, damage, reason):
    """Whatever happened to a file, the error names it."""
    path = log.path(2)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(EventDamaged, match=reason) as caught:
        list(log.read())
    assert caught.value.path == str(path)


def test_a_missing_event_is_named(log):
    """A gap is damage, not an end."""
    log.path(2).unlink()
    with pytest.raises(EventDamaged, match="missing"):
        list(log.read())


def test_a_folder_that_is_a_file_is_unavailable(tmp_path):
    """A store that cannot be listed is named."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="file"):
        EventLog(tmp_path / "file").last()


def test_an_event_that_cannot_be_read_is_unavailable(log):
    """A directory in the place of an event is an outside failure, not damage."""
    log.path(3).unlink()
    os.mkdir(log.path(3))
    with pytest.raises(StoreUnavailable, match="0000000003"):
        list(log.read())


def test_a_body_that_has_to_be_forgotten_is_replaced_as_a_whole(log):
    """The event reads as the new one; the others and their numbers stay."""
    before = [event.body for event in log.read()]
    log.replace(2, {"text": "gone"})
    after = [event.body for event in log.read()]
    assert after == [before[0], {"text": "gone"}, *before[2:]]
