"""One at a time, whatever crashes."""

import multiprocessing
import os
import socket
import time

import pytest

from coffey.control.lease import EXPIRES_S, Lease
from coffey.core.errors import LeaseHeld, StoreUnavailable

pytestmark = pytest.mark.filterwarnings("ignore:This process .* fork:DeprecationWarning")
"""Children are forked on purpose: they only touch files, and need no import of this module by name."""


class Hours:
    """A clock that the test turns."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_the_second_is_told_who_holds_it(tmp_path):
    """While one works the other is refused, with name, process, host and time; afterwards it may."""
    path = tmp_path / "control" / "tick.json"
    with Lease(path, who="tick", now=lambda: 0.0), pytest.raises(LeaseHeld) as caught:
        Lease(path, who="watch", now=lambda: 1.0).acquire()
    assert str(caught.value) == (
        f"tick is being done by tick (process {os.getpid()} on {socket.gethostname()}) "
        "since 1970-01-01T00:00:00.000Z. Wait for it, or stop it."
    )
    with Lease(path, who="watch"):
        assert path.exists()
    assert not path.exists()


def test_a_lease_that_is_not_renewed_expires(tmp_path):
    """After `EXPIRES_S` another may take it, and the first finds out; renewing prevents that."""
    clock, path = Hours(), tmp_path / "tick.json"
    first, second = Lease(path, who="first", now=clock), Lease(path, who="second", now=clock)
    first.acquire()
    clock.now += EXPIRES_S
    first.renew()
    clock.now += EXPIRES_S
    with pytest.raises(LeaseHeld, match="first"):
        second.acquire()
    clock.now += 1
    second.acquire()
    with pytest.raises(LeaseHeld, match="second"):
        first.renew()
    first.release()
    assert path.exists(), "the first may not give back what is the second's"
    second.release()
    with pytest.raises(LeaseHeld, match="nobody"):
        second.renew()


def test_a_killed_holder_does_not_hold(tmp_path):
    """The lease of a process that was killed is taken at once."""
    fork = multiprocessing.get_context("fork")
    path = tmp_path / "tick.json"
    process = fork.Process(target=hold, args=(path,))
    process.start()
    while not path.exists():
        time.sleep(0.005)
    with pytest.raises(LeaseHeld, match=f"process {process.pid} "):
        Lease(path, who="other").acquire()
    process.kill()
    process.join()
    Lease(path, who="other").acquire()


def hold(path):
    """Take the lease and never give it back."""
    Lease(path, who="doomed").acquire()
    time.sleep(60)


def test_a_process_elsewhere_is_trusted_until_it_expires(tmp_path):
    """Another host's process cannot be looked at: only time frees its lease."""
    clock, path = Hours(), tmp_path / "tick.json"
    Lease(path, who="far", now=clock).acquire()
    path.write_text(
        path.read_text().replace(socket.gethostname(), "elsewhere").replace(str(os.getpid()), "1")
    )
    with pytest.raises(LeaseHeld, match="elsewhere"):
        Lease(path, who="near", now=clock).acquire()
    clock.now += EXPIRES_S + 1
    Lease(path, who="near", now=clock).acquire()


def test_a_process_of_another_user_is_alive(tmp_path, monkeypatch):
    """Not being allowed to signal a process means that it runs."""

    def refuse(pid, signal):
        raise PermissionError

    path = tmp_path / "tick.json"
    Lease(path, who="root").acquire()
    monkeypatch.setattr("coffey.control.lease.os.kill", refuse)
    with pytest.raises(LeaseHeld):
        Lease(path, who="other").acquire()


@pytest.mark.parametrize("content", ["", "[]", '{"id": "x"}', "not json"])
def test_a_damaged_lease_holds_nobody_up(tmp_path, content):
    """A file that is no lease is replaced."""
    path = tmp_path / "tick.json"
    path.write_text(content)
    Lease(path, who="tick").acquire()
    assert '"who":"tick"' in path.read_text()


def take(path, ready, results):
    """Try once, at the same moment as the others; hold it for the rest of the test."""
    lease = Lease(path, who="racer")
    ready.wait()
    try:
        lease.acquire()
        results.put(1)
    except LeaseHeld:
        results.put(0)
    ready.wait()


def test_of_many_that_find_a_stale_lease_one_takes_it(tmp_path):
    """Eight processes race for the lease of a dead one: exactly one wins, every time."""
    fork = multiprocessing.get_context("fork")
    for turn in range(5):
        path = tmp_path / f"{turn}.json"
        dead = fork.Process(target=Lease(path, who="dead").acquire)
        dead.start()
        dead.join()
        ready, results = fork.Barrier(8), fork.SimpleQueue()
        racers = [fork.Process(target=take, args=(path, ready, results)) for _ in range(8)]
        for racer in racers:
            racer.start()
        assert sum(results.get() for _ in racers) == 1
        for racer in racers:
            racer.join()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """A store that fails is an error of the store."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="file"):
        Lease(tmp_path / "file" / "tick.json", who="tick").acquire()
    (tmp_path / "tick.json").mkdir()
    with pytest.raises(StoreUnavailable, match=r"tick\.json"):
        Lease(tmp_path / "tick.json", who="tick").acquire()
