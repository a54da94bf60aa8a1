"""The control loop's memory keeps every step once, in order, across processes and crashes."""

import multiprocessing

import pytest

from coffey.control.journal import DECISION, ControlJournal
from coffey.core.errors import EventDamaged
from coffey.core.eventlog import EventLog
from coffey.core.records import Decision, DecisionKind

pytestmark = pytest.mark.filterwarnings("ignore:This process .* fork:DeprecationWarning")
"""Children are forked on purpose: they only touch files, and need no import of this module by name."""


def test_entries_come_back_in_order(tmp_path):
    """A second journal on the folder reads what the first wrote, all or of one kind."""
    journal = ControlJournal(tmp_path, now=lambda: 3.0)
    journal.record("label", {"asked": 12})
    journal.record_decision(Decision(DecisionKind.REDISTILL, "It fell.", {"drop": 0.05}))
    journal.record("label", {"asked": 7})
    again = ControlJournal(tmp_path)
    assert again.entries() == journal.entries()
    assert [entry.body["asked"] for entry in again.entries("label")] == [12, 7]
    assert (again.last("label").number, again.last("label").unix_s, again.last("nothing")) == (3, 3.0, None)
    assert again.last(DECISION).body == {"kind": "redistill", "reason": "It fell.", "numbers": {"drop": 0.05}}


def test_a_key_is_recorded_once(tmp_path):
    """A step that is tried again finds what it did the first time."""
    journal = ControlJournal(tmp_path)
    assert journal.find("run-1/label") is None
    first = journal.record("label", {"asked": 12}, key="run-1/label")
    again = ControlJournal(tmp_path).record("label", {"asked": 99}, key="run-1/label")
    assert again == first == journal.find("run-1/label")
    assert len(journal.entries()) == 1


def test_a_lost_race_is_tried_again(tmp_path, monkeypatch):
    """Another writer takes the number first: the entry gets the next one, and neither is lost."""
    append, raced = EventLog.append, []

    def slow(self, number, body):
        if not raced:
            raced.append(number)
            ControlJournal(self.folder).record("other", {})
        return append(self, number, body)

    monkeypatch.setattr(EventLog, "append", slow)
    assert ControlJournal(tmp_path).record("own", {}).number == 2
    assert [entry.kind for entry in ControlJournal(tmp_path).entries()] == ["other", "own"]


def write(folder, me):
    """Write 10 entries of one's own and 10 that everybody wants to write."""
    journal = ControlJournal(folder)
    for i in range(10):
        journal.record("own", {"who": me, "i": i})
        journal.record("shared", {"who": me}, key=f"step-{i}")


def test_many_processes_write_every_step_once(tmp_path):
    """Four processes at once: each own entry is there, each shared step exactly once."""
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=write, args=(tmp_path, i)) for i in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    journal = ControlJournal(tmp_path)
    own = [(entry.body["who"], entry.body["i"]) for entry in journal.entries("own")]
    assert sorted(own) == [(who, i) for who in range(4) for i in range(10)]
    assert sorted(entry.key for entry in journal.entries("shared")) == sorted(f"step-{i}" for i in range(10))


def test_a_foreign_event_is_named(tmp_path):
    """A file that is no entry of this journal is refused by name."""
    EventLog(tmp_path).append(1, {"colour": "blue"})
    with pytest.raises(EventDamaged, match=r"0000000001\.json.*'kind' is missing"):
        ControlJournal(tmp_path).entries()
