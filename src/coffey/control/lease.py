"""One process at a time: a lease file that says who holds it, and that a crash cannot hold for ever."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from coffey.core.clock import stamp, unix_now
from coffey.core.errors import LeaseHeld, StoreUnavailable
from coffey.core.files import write_atomic
from coffey.core.ids import canonical_json, fresh_id

EXPIRES_S = 900.0
"""A lease that was not renewed this long is free, whoever holds it: the other host may be gone."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease."""

    id: str
    who: str
    host: str
    pid: int
    since_unix_s: float
    renewed_unix_s: float

    def __str__(self) -> str:
        return f"{self.who} (process {self.pid} on {self.host})"


class Lease:
    """A lease on something in a local store, held between `acquire` and `release`.

    It is free when its file is absent, when its process on this host is dead, or when it was not renewed for
    `expires_s`. Looking and taking happen under `flock` on a guard file beside it, so of many that find a
    stale lease one takes it over. Needs a local file system (or one that keeps `flock`).
    """

    def __init__(
        self,
        path: Path,
        *,
        who: str,
        expires_s: float = EXPIRES_S,
        now: Callable[[], float] = unix_now,
    ) -> None:
        """Prepare a lease at `path` for `who`; nothing is taken yet."""
        self.path = path
        self._who = who
        self._expires_s = expires_s
        self._now = now
        self._id = fresh_id()

    def acquire(self) -> None:
        """Take the lease.

        Raises:
            LeaseHeld: another holder is alive and has renewed it in time.
            StoreUnavailable: the folder cannot be written.
        """
        with self._guard():
            held = self._read()
            if held is not None and self._alive(held):
                raise LeaseHeld(self.path.stem, str(held), stamp(held.since_unix_s))
            self._write(since_unix_s=self._now())

    def renew(self) -> None:
        """Say that the work goes on; call it well within `expires_s`.

        Raises:
            LeaseHeld: another process took it over after it expired. Stop: its work has begun.
        """
        with self._guard():
            held = self._read()
            if held is None or held.id != self._id:
                holder = "nobody" if held is None else str(held)
                since = stamp(self._now() if held is None else held.since_unix_s)
                raise LeaseHeld(self.path.stem, holder, since)
            self._write(since_unix_s=held.since_unix_s)

    def release(self) -> None:
        """Give the lease back, if it is still this one's."""
        with self._guard():
            held = self._read()
            if held is not None and held.id == self._id:
                self.path.unlink(missing_ok=True)

    def __enter__(self) -> Lease:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _alive(self, held: Holder) -> bool:
        if self._now() - held.renewed_unix_s > self._expires_s:
            return False
        return held.host != socket.gethostname() or _runs(held.pid)

    def _read(self) -> Holder | None:
        """The holder; None without a file, or with one that is no lease, by which nobody can hold it."""
        try:
            return Holder(**json.loads(self.path.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        except OSError as exc:
            raise StoreUnavailable(str(self.path), exc.strerror or str(exc)) from exc

    def _write(self, *, since_unix_s: float) -> None:
        holder = Holder(self._id, self._who, socket.gethostname(), os.getpid(), since_unix_s, self._now())
        write_atomic(self.path, canonical_json(asdict(holder)))

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        guard = self.path.with_name(self.path.name + ".guard")
        try:
            guard.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(guard, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as exc:
            raise StoreUnavailable(str(guard), exc.strerror or str(exc)) from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as another user
        return True
    return True
