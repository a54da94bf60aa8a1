"""Clients that connect anew for every request, and a server that leaves beneath them."""

from __future__ import annotations

import socket
import sys
import threading
from collections import Counter

import pytest

from coffey.core.settings import ServeSettings
from coffey.serve.listener import admit_nobody, has_waiting, listen

ANYWHERE = ServeSettings(port=0)
BODY = b'{"input": "i want my money back"}'
REQUEST = b"POST /v1/predict HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
linux = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")


def test_who_waits_to_be_accepted_is_seen() -> None:
    """Until it is accepted."""
    with listen(ANYWHERE) as listener:
        assert not has_waiting(listener)
        with socket.create_connection(listener.getsockname()):
            assert has_waiting(listener)
            listener.accept()[0].close()
            assert not has_waiting(listener)


@linux
def test_who_is_connected_stays_and_nobody_else_comes_in() -> None:
    """Who connected before is accepted and heard; who comes after gets no answer."""
    with listen(ANYWHERE) as listener, socket.create_connection(listener.getsockname()) as early:
        admit_nobody(listener)
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname(), timeout=0.1)
        accepted, _ = listener.accept()
        with accepted:
            early.sendall(b"still here")
            assert accepted.recv(100) == b"still here"
        assert not has_waiting(listener)


class Storm:
    """Clients that connect anew for each request, until they are refused."""

    def __init__(self, port: int, clients: int) -> None:
        self.ends: Counter[str] = Counter()
        self._port = port
        self._threads = [threading.Thread(target=self._client) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def join(self) -> Counter[str]:
        for thread in self._threads:
            thread.join(30)
        return self.ends

    def _client(self) -> None:
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            except ConnectionRefusedError:
                return
            with connection:
                self.ends[self._ask(connection)] += 1

    @staticmethod
    def _ask(connection: socket.socket) -> str:
        answer = b""
        try:
            connection.sendall(REQUEST)
            while not answer.endswith(b"}"):
                piece = connection.recv(65536)
                if not piece:
                    return "closed without an answer"
                answer += piece
        except OSError as exc:
            return type(exc).__name__
        return answer[9:12].decode()


@linux
@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_in_a_storm_of_new_connections_resets_none(serve, workers) -> None:
    """Everybody who got in is answered with 200; the others are refused, and may go elsewhere."""
    running = serve(settings={"workers": workers}, slow_seconds=0.0005)
    storm = Storm(running.port, clients=32)
    for _ in range(2000):
        if storm.ends["200"] > 200:
            break
        threading.Event().wait(0.01)
    assert running.stop() == 0
    ends = storm.join()
    assert set(ends) == {"200"}
    assert ends["200"] > 400
