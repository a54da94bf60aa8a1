"""Aliases move by compare-and-swap on a log that many processes write, and nothing is ever lost."""

import multiprocessing
import threading

import pytest

from coffey.core.errors import AliasMoved, EventDamaged, UnknownVersion, VersionTaken
from coffey.core.eventlog import EventLog
from coffey.registry.journal import JournalRegistry
from coffey.registry.protocol import Registry
from coffey.registry.version import Version

pytestmark = pytest.mark.filterwarnings("ignore:This process .* fork:DeprecationWarning")
"""Children are forked on purpose: they only touch files, and need no import of this module by name."""


def version(name):
    return Version(name, f"digest-{name}", f"artifacts/{name}")


@pytest.fixture
def registry(tmp_path):
    """A registry with versions a, b and c."""
    made: Registry = JournalRegistry(tmp_path / "events", now=lambda: 7.0)
    for name in "abc":
        made.add(version(name), who="test", evidence={"run": name})
    return made


def test_an_empty_registry_knows_nothing(tmp_path):
    """Before the first event there is no version, alias or event, and no folder is needed."""
    empty = JournalRegistry(tmp_path / "absent")
    assert (empty.versions(), empty.aliases(), empty.events(), empty.state_token()) == ((), {}, (), 0)
    with pytest.raises(UnknownVersion, match="none yet"):
        empty.resolve("champion")


def test_versions_are_found_by_name_alias_and_digest(registry):
    """All three ways lead to the same version."""
    registry.promote("b", evidence={}, who="test")
    assert registry.resolve("b") == registry.resolve("champion") == registry.resolve("digest-b")
    assert [each.name for each in registry.versions()] == ["a", "b", "c"]


def test_adding_again_changes_nothing(registry):
    """The same version is added once; another one under its name, or an alias's name, is refused."""
    token = registry.state_token()
    registry.add(version("a"), who="again")
    assert registry.state_token() == token
    with pytest.raises(VersionTaken, match="never change"):
        registry.add(Version("a", "other", "artifacts/other"), who="test")
    with pytest.raises(VersionTaken, match="alias"):
        registry.add(version("champion"), who="test")


def test_promotion_keeps_the_old_champion(registry):
    """The champion becomes previous and the promoted challenger is none any more."""
    registry.promote("a", evidence={}, who="test")
    registry.move({"challenger": "b"}, expected={"challenger": None}, evidence={}, who="test")
    registry.promote("challenger", evidence={"gain": 0.05}, who="tick", instead_of="a")
    assert registry.aliases() == {"champion": "b", "previous": "a"}
    last = registry.events()[-1]
    assert (last.kind, last.who, last.evidence, last.unix_s) == ("promote", "tick", {"gain": 0.05}, 7.0)
    assert registry.events()[0].version == "a"


def test_promotion_leaves_another_challenger(registry):
    """Only the promoted version stops being the challenger."""
    registry.move({"challenger": "c"}, expected={}, evidence={}, who="test")
    registry.promote("a", evidence={}, who="test")
    assert registry.aliases() == {"champion": "a", "challenger": "c"}


def test_promoting_the_champion_again_changes_nothing(registry):
    """A step that is repeated after a crash neither fails nor loses the previous champion."""
    registry.promote("a", evidence={}, who="test")
    registry.promote("b", evidence={}, who="test", instead_of="a")
    token = registry.state_token()
    registry.promote("b", evidence={}, who="test", instead_of="a")
    assert (registry.state_token(), registry.alias("previous")) == (token, "a")


def test_a_judgement_against_another_champion_is_refused(registry):
    """A challenger that was judged against a does not replace c."""
    registry.promote("c", evidence={}, who="people")
    for judged in ("a", None):
        with pytest.raises(AliasMoved, match="'c'"):
            registry.promote("b", evidence={}, who="tick", instead_of=judged)


def test_rollback_swaps(registry):
    """Rolling back twice ends where it began; without a previous champion it is refused."""
    registry.promote("a", evidence={}, who="test")
    with pytest.raises(UnknownVersion, match="previous"):
        registry.rollback(who="people", reason="slow")
    registry.promote("b", evidence={}, who="test")
    registry.rollback(who="people", reason="slow")
    assert registry.aliases() == {"champion": "a", "previous": "b"}
    assert registry.events()[-1].evidence == {"reason": "slow"}
    registry.rollback(who="people", reason="no, fast")
    assert registry.aliases() == {"champion": "b", "previous": "a"}


def test_moves_that_cannot_be_are_refused_whole(registry):
    """An unknown target or alias, or a wrong expectation, moves none of the aliases."""
    for moves, expected, error in (
        ({"champion": "a", "challenger": "nobody"}, {}, UnknownVersion),
        ({"favourite": "a"}, {}, UnknownVersion),
        ({"champion": "a"}, {"champion": "b"}, AliasMoved),
    ):
        with pytest.raises(error):
            registry.move(moves, expected=expected, evidence={}, who="test")
    assert registry.aliases() == {}


def test_other_processes_changes_are_seen_cheaply(tmp_path, registry):
    """A second reader's token grows with every change, and it then reads only what is new."""
    reader = JournalRegistry(tmp_path / "events")
    assert reader.alias("champion") is None
    before = reader.state_token()
    registry.promote("a", evidence={}, who="test")
    assert (before, reader.state_token(), reader.alias("champion")) == (3, 4, "a")


def test_a_lost_race_goes_on_when_the_expectation_holds(registry, monkeypatch):
    """Another writer takes the number, but not the alias: the move is made after it."""
    append, raced = EventLog.append, []

    def slow(self, number, body):
        if not raced:
            raced.append(number)
            JournalRegistry(self.folder).add(version("d"), who="other")
        return append(self, number, body)

    monkeypatch.setattr(EventLog, "append", slow)
    registry.move({"champion": "a"}, expected={"champion": None}, evidence={}, who="test")
    assert [event.number for event in registry.events()] == [1, 2, 3, 4, 5]
    assert [event.kind for event in registry.events()][-2:] == ["add", "move"]


def test_damaged_events_are_named(tmp_path, registry):
    """A changed event is refused by a fresh reader with the file's name, and so is one that says nothing."""
    path = tmp_path / "events" / "0000000002.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"artifacts/b", b"artifacts/x"))
    with pytest.raises(EventDamaged, match=r"0000000002\.json"):
        JournalRegistry(tmp_path / "events").versions()
    path.write_bytes(whole)
    EventLog(tmp_path / "events").append(4, {"colour": "blue"})
    with pytest.raises(EventDamaged, match=r"0000000004\.json.*no event of a registry"):
        registry.versions()


def contend(folder, me, results):
    """Move the champion 12 times from whatever it is to this process's version."""
    registry = JournalRegistry(folder)
    registry.add(version(me), who=me)
    done = []
    for turn in range(12):
        now = registry.alias("champion")
        try:
            registry.move({"champion": me}, expected={"champion": now}, evidence={"turn": turn}, who=me)
            done.append((me, turn, now))
        except AliasMoved:
            done.append(None)
    results.put(done)


def test_eight_processes_move_one_alias(tmp_path):
    """Every move is in the log exactly once or was refused, and each found what the one before left."""
    spawn = multiprocessing.get_context("fork")
    results = spawn.SimpleQueue()
    names = [f"v{i}" for i in range(8)]
    processes = [spawn.Process(target=contend, args=(tmp_path, name, results)) for name in names]
    for process in processes:
        process.start()
    outcomes = [outcome for _ in names for outcome in results.get()]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    registry = JournalRegistry(tmp_path)
    moves = [event for event in registry.events() if event.kind == "move"]
    logged = [(event.who, event.evidence["turn"]) for event in moves]
    claimed = [outcome[:2] for outcome in outcomes if outcome is not None]
    assert sorted(logged) == sorted(claimed)
    found = {outcome[:2]: outcome[2] for outcome in outcomes if outcome is not None}
    champion = None
    for event in moves:
        assert found[event.who, event.evidence["turn"]] == champion
        champion = event.moves["champion"]
    assert registry.alias("champion") == champion
    assert len(registry.versions()) == 8


def test_threads_may_share_a_registry(tmp_path):
    """A server polls while others write through the same object."""
    registry = JournalRegistry(tmp_path)
    threads = [
        threading.Thread(target=lambda i=i: registry.add(version(f"t{i}"), who="thread")) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.name for each in registry.versions()} == {f"t{i}" for i in range(8)}
    assert registry.state_token() == 8
