"""The load generator: HTTP/1.1 over kept-alive sockets, in a process of its own so that it can have a core.

`python -m coffey.bench.http_client` reads one JSON line and raw doubles (the schedule) from stdin and writes
one JSON line and raw columns (latencies, statuses, its own lags) to stdout. It loads neither numpy nor a web
client. It waits with `select`, whose time-outs have microseconds; those of `epoll`, and so of asyncio, have
milliseconds.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httptools

from coffey.core.clock import monotonic

_BYTES = 65536
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is sent where; `connections` requests may be under way at once."""

    host: str
    port: int
    path: str
    bodies: Sequence[bytes]
    connections: int = 32
    warmup: int = 50
    timeout_s: float = 10.0
    """How long after the last arrival answers are waited for, and for any one read."""


@dataclass(slots=True)
class Answers:
    """What came back. Latencies of requests that failed or stayed unanswered are the time until then."""

    latencies_s: array[float] = field(default_factory=lambda: array("d"))
    statuses: array[int] = field(default_factory=lambda: array("H"))
    """The status of each, 0 where there was no answer."""
    lags_s: array[float] = field(default_factory=lambda: array("d"))
    """How late this client was itself in looking at each arrival."""
    elapsed_s: float = 0.0

    def add(self, latency_s: float, status: int) -> None:
        """Count a request that was answered, or given up."""
        self.latencies_s.append(latency_s)
        self.statuses.append(status)

    @property
    def errors(self) -> int:
        """Requests that were not answered with success."""
        return len(self.statuses) - self.statuses.count(_OK)


class Connection:
    """One socket with at most one request under way."""

    def __init__(self, job: Job) -> None:
        """Connect.

        Raises:
            OSError: nobody listens there.
        """
        self._job = job
        self.socket = socket.create_connection((job.host, job.port), timeout=job.timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = httptools.HttpResponseParser(self)
        self.scheduled = 0.0
        self.done = False

    def on_message_complete(self) -> None:
        """Hear from the parser that the answer is whole."""
        self.done = True

    def send(self, request: bytes, scheduled: float) -> None:
        """Send a request that should have been sent at `scheduled`."""
        self.done, self.scheduled = False, scheduled
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Read what is there: None when more must come, else the status of the answer."""
        data = self.socket.recv(_BYTES)
        if not data:
            raise ConnectionError("closed by the server")
        self._parser.feed_data(data)
        return int(self._parser.get_status_code()) if self.done else None

    def renew(self) -> Connection:
        """A fresh connection in place of a broken one."""
        self.socket.close()
        return Connection(self._job)


def encode(job: Job) -> list[bytes]:
    """The requests as bytes, built before the first is sent."""
    head = f"POST {job.path} HTTP/1.1\r\nHost: {job.host}:{job.port}\r\nContent-Type: application/json\r\n"
    return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in job.bodies]


def run_closed(job: Job, seconds: float, clock: Callable[[], float] = monotonic) -> Answers:
    """One connection, one request at a time, for `seconds`."""
    requests, connection, answers = encode(job), Connection(job), Answers()
    for turn in range(job.warmup):
        _ask(connection, requests[turn % len(requests)], clock())
    begin = clock()
    while (now := clock()) < begin + seconds:
        status = _ask(connection, requests[len(answers.latencies_s) % len(requests)], now)
        answers.add(clock() - now, status)
    answers.elapsed_s = clock() - begin
    connection.socket.close()
    return answers


def _ask(connection: Connection, request: bytes, now: float) -> int:
    connection.send(request, now)
    while (status := connection.receive()) is None:
        pass
    return status


def run_open(job: Job, arrivals_s: Sequence[float], clock: Callable[[], float] = monotonic) -> Answers:
    """Send by the schedule (ascending seconds), whatever the answers do; latency counts from the schedule."""
    return _OpenLoop(job, arrivals_s, clock).run()


class _OpenLoop:
    def __init__(self, job: Job, arrivals_s: Sequence[float], clock: Callable[[], float]) -> None:
        self._requests = encode(job)
        self._job, self._arrivals, self._clock = job, arrivals_s, clock
        self._idle = [Connection(job) for _ in range(job.connections)]
        self._busy: dict[socket.socket, Connection] = {}
        self._backlog: deque[float] = deque()
        self._answers = Answers()
        self._sent = self._taken = 0

    def run(self) -> Answers:
        for turn in range(self._job.warmup):
            connection = self._idle[turn % len(self._idle)]
            _ask(connection, self._requests[turn % len(self._requests)], self._clock())
        begin = self._clock()
        end = begin + self._arrivals[-1] + self._job.timeout_s
        while len(self._answers.latencies_s) < len(self._arrivals) and (now := self._clock()) < end:
            self._take(begin, now)
            self._dispatch()
            due = begin + self._arrivals[self._taken] if self._taken < len(self._arrivals) else end
            self._collect(max(0.0, min(due, end) - self._clock()))
        self._answers.elapsed_s = self._clock() - begin
        self._abandon()
        return self._answers

    def _take(self, begin: float, now: float) -> None:
        while self._taken < len(self._arrivals) and begin + self._arrivals[self._taken] <= now:
            scheduled = begin + self._arrivals[self._taken]
            self._backlog.append(scheduled)
            self._answers.lags_s.append(now - scheduled)
            self._taken += 1

    def _dispatch(self) -> None:
        while self._backlog and self._idle:
            connection = self._idle.pop()
            self._busy[connection.socket] = connection
            request = self._requests[self._sent % len(self._requests)]
            self._sent += 1
            try:
                connection.send(request, self._backlog.popleft())
            except OSError:
                self._broken(connection)

    def _collect(self, wait_s: float) -> None:
        ready, _, _ = select.select(list(self._busy), [], [], wait_s)
        for ready_socket in ready:
            connection = self._busy[ready_socket]
            try:
                status = connection.receive()
            except (OSError, httptools.HttpParserError):
                self._broken(connection)
                continue
            if status is not None:
                self._finish(connection, status)
                self._idle.append(connection)

    def _finish(self, connection: Connection, status: int) -> None:
        del self._busy[connection.socket]
        self._answers.add(self._clock() - connection.scheduled, status)

    def _broken(self, connection: Connection) -> None:
        self._finish(connection, 0)
        self._idle.append(connection.renew())

    def _abandon(self) -> None:
        """Count what was not answered, and close everything."""
        now = self._clock()
        waiting = [connection.scheduled for connection in self._busy.values()] + list(self._backlog)
        for scheduled in waiting:
            self._answers.add(now - scheduled, 0)
        for connection in [*self._busy.values(), *self._idle]:
            connection.socket.close()


def main() -> None:
    """Read the job from stdin, run it, write the answers to stdout."""
    told = json.loads(sys.stdin.buffer.readline())
    arrivals = array("d")
    arrivals.frombytes(sys.stdin.buffer.read())
    core, seconds = told.pop("core"), told.pop("seconds")
    if core is not None:
        os.sched_setaffinity(0, {core})
    bodies = [body.encode() for body in told.pop("bodies")]
    job = Job(bodies=bodies, **told)
    try:
        answers = run_open(job, arrivals) if arrivals else run_closed(job, seconds)
    except TimeoutError:
        sys.exit(f"no answer within {job.timeout_s:g} s; look whether other work takes all cores")
    except OSError as exc:
        sys.exit(exc.strerror or str(exc))
    head = {"elapsed_s": answers.elapsed_s, "requests": len(answers.latencies_s)}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
    for column in (answers.latencies_s, answers.statuses, answers.lags_s):
        sys.stdout.buffer.write(column.tobytes())


if __name__ == "__main__":
    main()
