"""Clients that no server likes, each on a thread of its own until it is told to stop."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Client = Callable[[socket.socket, threading.Event], bool]
"""Talks over one connection until it is told to stop; says whether the server answered as it should."""

PREDICT = b'{"input": "where is my parcel"}'
PAUSE_SECONDS = 0.02
_BYTES = 65536


def request(body: bytes, *, length: int | None = None, headers: bytes = b"Host: here\r\n") -> bytes:
    """A request whose length may lie."""
    size = len(body) if length is None else length
    return b"POST /v1/predict HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, size, body)


def trickle(connection: socket.socket, stopped: threading.Event) -> bool:
    """Slow-loris: a byte now and then, until the server gives it up with 408."""
    for byte in request(PREDICT, length=100_000):
        connection.sendall(bytes([byte]))
        if stopped.wait(PAUSE_SECONDS):
            return True
    return status_of(connection) == 408


def half_close(connection: socket.socket, stopped: threading.Event) -> bool:
    """Asks, says that it sends nothing more, and still wants its answer."""
    connection.sendall(request(PREDICT))
    connection.shutdown(socket.SHUT_WR)
    return status_of(connection) == 200


def pipeline(connection: socket.socket, stopped: threading.Event) -> bool:
    """Sends sixteen requests at once, and wants sixteen answers."""
    last = request(PREDICT, headers=b"Host: here\r\nConnection: close\r\n")
    connection.sendall(request(PREDICT) * 15 + last)
    return read_all(connection).count(b"HTTP/1.1 200 OK") == 16


def oversize(connection: socket.socket, stopped: threading.Event) -> bool:
    """Announces a gigabyte, and sends the first of it."""
    connection.sendall(request(b"x" * 10_000, length=1 << 30))
    return status_of(connection) == 413


def malform(connection: socket.socket, stopped: threading.Event) -> bool:
    """Sends what is no HTTP."""
    connection.sendall(b"\x16\x03\x01 no request at all\r\n\r\n")
    return status_of(connection) == 400


def talk_nonsense(connection: socket.socket, stopped: threading.Event) -> bool:
    """Sends a body that is no JSON."""
    connection.sendall(request(b'{"input": [[[[[['))
    return status_of(connection) == 422


def vanish(connection: socket.socket, stopped: threading.Event) -> bool:
    """Asks, and is gone before the answer."""
    connection.sendall(request(PREDICT))
    return True


KINDS: tuple[Client, ...] = (trickle, half_close, pipeline, oversize, malform, talk_nonsense, vanish)


def read_all(connection: socket.socket) -> bytes:
    """Until the server closes."""
    found = b""
    while piece := connection.recv(_BYTES):
        found += piece
    return found


def status_of(connection: socket.socket) -> int:
    """The status of the next answer."""
    return int(connection.recv(_BYTES).split(b" ", 2)[1])


@dataclass(slots=True)
class Crowd:
    """What became of the clients of one kind."""

    asked: int = 0
    wrong: int = 0
    """Connections that ended otherwise than they should."""


@contextmanager
def crowd(port: int, each: int) -> Iterator[dict[str, Crowd]]:
    """So many clients of each kind, at work while the block runs."""
    stopped, crowds = threading.Event(), {kind.__name__: Crowd() for kind in KINDS}

    def work(kind: Client, found: Crowd) -> None:
        while not stopped.wait(PAUSE_SECONDS):
            found.asked += 1
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
                    found.wrong += not kind(connection, stopped)
            except (OSError, IndexError, ValueError):
                found.wrong += 1

    threads = [
        threading.Thread(target=work, args=(kind, crowds[kind.__name__]), daemon=True)
        for kind in KINDS
        for _ in range(each)
    ]
    with contextlib.ExitStack() as ending:
        ending.callback(lambda: [thread.join(20) for thread in threads])
        ending.callback(stopped.set)
        for thread in threads:
            thread.start()
        yield crowds
