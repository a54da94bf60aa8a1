from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from coffey.core.errors import InvalidRequest, NotReady
from coffey.serve.connection import PIPELINED, Connection
from coffey.serve.exchange import Request, Response, read_head, refusal
from coffey.serve.heads import Heads
from coffey.serve.limits import Limits
from coffey.serve.vigil import Vigil

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


class Echo:
    """Answers with path and body, `/b` at once and others after a turn; refuses `/no` by its head."""

    def __init__(self, **limits: float) -> None:
        self.leaving = False
        self.begun = 0
        self.limits = Limits(**{"max_body_bytes": 50, **limits})
        self.vigil = Vigil()
        self.heads = Heads()
        self.full = False
        self.heard: list[int] = []
        self.sent: list[float] = []

    def screen(self, request: Request) -> Response | None:
        if request.path == b"/no":
            return refusal(InvalidRequest("not this one"))
        try:
            read_head(request, self.limits)
        except Exception as exc:  # noqa: BLE001 - every refusal of a head
            return refusal(exc)
        return None

    def admit(self, request: Request) -> Response | None:
        return refusal(NotReady("not now")) if self.full else None

    def begin(self, request: Request) -> Response | Coroutine[Any, Any, Response]:
        response = Response(200, request.path + b":" + request.body, b"text/plain", sent=self.sent.append)
        return response if request.path == b"/b" else self._later(response)

    @staticmethod
    async def _later(response: Response) -> Response:
        await asyncio.sleep(0)
        return response

    def refused(self, response: Response, request: Request | None) -> None:
        self.heard.append(response.status)


def talk(app: Echo, what: Talk) -> bytes:
    """What a client hears from a real server on loopback."""

    async def run() -> bytes:
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(SimpleNamespace(loaded_app=app), state, {}), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            async with asyncio.timeout(20):
                found = await what(reader, writer)
        finally:
            writer.close()
            server.close()
        async with asyncio.timeout(20):
            while state.connections or state.tasks or app.begun:
                await asyncio.sleep(0.001)
        return found

    return asyncio.run(run())


def request(path: str, body: bytes = b"", *, last: bool = False, chunked: bool = False) -> bytes:
    close = b"Connection: close\r\n" if last else b""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode() + close
    if chunked:
        pieces = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in body)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def bodies(answer: bytes) -> list[bytes]:
    """The bodies of answers, by their lengths."""
    found = []
    while answer:
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        found.append(rest[:length])
        answer = rest[length:]
    return found


@settings(max_examples=60, deadline=None)
@given(
    asked=st.lists(
        st.tuples(st.sampled_from(["/a", "/b", "/no"]), st.binary(max_size=50), st.booleans()), max_size=25
    ),
    cuts=st.lists(st.integers(1, 400), max_size=12),
)
def test_answers_do_not_depend_on_how_the_bytes_arrive(asked, cuts) -> None:
    """Requests in a row, cut anywhere, with lengths or chunks, refused ones among them: each in its turn."""
    data = b"".join(request(path, body, chunked=chunked) for path, body, chunked in asked)
    data += request("/end", last=True)

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        start = 0
        for cut in [*cuts, len(data)]:
            writer.write(data[start : start + cut])
            await writer.drain()
            await asyncio.sleep(0)
            start += cut
        return await reader.read()

    app = Echo()
    expected = [path.encode() + b":" + body for path, body, _ in asked if path != "/no"]
    found = bodies(talk(app, what))
    assert [body for body in found if not body.startswith(b'{"error"')] == [*expected, b"/end:"]
    places = [index for index, body in enumerate(found) if body.startswith(b'{"error"')]
    assert places == [index for index, (path, _, _) in enumerate(asked) if path == "/no"]
    assert app.heard == [422] * len(places)
    assert len(app.sent) == len(expected) + 1


def test_a_head_that_passed_before_is_refused_when_nothing_is_taken() -> None:
    """The connection stays open, and the same request is answered when there is room again."""
    app = Echo()

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        found = []
        for app.full in (False, True, False):
            writer.write(request("/b", b"x"))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            found.append(head.split()[1])
        return b" ".join(found)

    assert talk(app, what) == b"200 503 200"
    assert app.heard == [503]


def test_a_request_that_is_never_whole_is_answered_with_408() -> None:
    """However it trickles in: the time counts from its first bytes."""

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        heard = asyncio.create_task(reader.read())
        for byte in b"POST /a HTTP/1.1\r\nContent-Length: 40\r\n\r\n" + b"x" * 39:
            if heard.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)
        return await heard

    app = Echo(body_seconds=0.15)
    assert talk(app, what).startswith(b"HTTP/1.1 408 ")
    assert app.heard == [408]


def test_a_connection_that_asks_nothing_is_closed() -> None:
    """Without a word, when it was idle for long enough."""
    assert talk(Echo(idle_seconds=0.05), lambda reader, writer: reader.read()) == b""


def test_a_client_that_does_not_read_is_not_read_either() -> None:
    """Many requests and no reading: the server stops taking more; all are answered once it reads."""
    count = 40 * PIPELINED

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(request("/a", b"x" * 50) * count + request("/end", last=True))
        await asyncio.sleep(0.05)
        return await reader.read()

    assert len(bodies(talk(Echo(), what))) == count + 1


@pytest.mark.parametrize(("sent", "status"), [(b"nonsense\r\n\r\n", 400), (request("/a", b"x" * 51), 413)])
def test_what_is_no_request_ends_the_connection_after_those_before_it(sent, status) -> None:
    """The request in work is answered; nothing after the bad one is."""

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(request("/a", b"first"))
        first = await reader.readuntil(b"/a:first")
        writer.write(sent + request("/b"))
        return first + await reader.read()

    _, first, bad = re.split(rb"HTTP/1.1 (?=\d)", talk(Echo(), what))
    assert first.startswith(b"200 ")
    assert bad.startswith(b"%d " % status)
    assert b"connection: close" in bad


def test_a_server_that_leaves_closes_after_the_answer() -> None:
    """Each answer then says so."""
    app = Echo()
    app.leaving = True

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(request("/a"))
        return await reader.read()

    assert b"connection: close\r\n" in talk(app, what)


def test_http_1_0_gets_one_answer() -> None:
    """And the connection is closed, as that version expects."""

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET /a HTTP/1.0\r\n\r\n")
        return await reader.read()

    assert talk(Echo(), what).endswith(b"\r\n\r\n/a:")


@pytest.mark.parametrize("count", [1, 3])
def test_who_asks_for_another_protocol_is_answered_in_this_one(count) -> None:
    """Body included: Java's HTTP client asks for h2c with the first request of each connection."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    one = b"POST /a HTTP/1.1\r\n" + upgrade + b"Content-Length: 4\r\n\r\nbody"

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(one * count + request("/end", last=True))
        return await reader.read()

    assert bodies(talk(Echo(), what)) == [b"/a:body"] * count + [b"/end:"]


def test_a_head_that_is_cut_behind_many_requests_is_not_too_large() -> None:
    """Only its own bytes count, not those of the requests that came in the same packet."""
    count = 4000

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        heard = asyncio.create_task(reader.read())
        writer.write(request("/a") * count + request("/end", last=True))
        return await heard

    app = Echo()
    assert len(bodies(talk(app, what))) == count + 1
    assert app.heard == []


def test_trailers_without_end_are_refused() -> None:
    """They are neither kept nor read for ever."""
    app = Echo()

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        heard = asyncio.create_task(reader.read())
        writer.write(request("/a", b"x", chunked=True)[:-2])
        for _ in range(400):
            writer.write(b"a: b\r\n" * 100)
            await asyncio.sleep(0)
        return await heard

    assert talk(app, what).startswith(b"HTTP/1.1 413 ")
    assert app.heard == [413]


def test_a_refusal_reaches_a_client_that_is_still_sending() -> None:
    """What it sends is dropped for a while: closing at once would reset the connection."""

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST /a HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n")
        for _ in range(80):
            writer.write(b"x" * 100_000)
            await writer.drain()
        return await reader.read()

    assert talk(Echo(), what).startswith(b"HTTP/1.1 413 ")


def test_who_never_reads_is_closed_when_idle() -> None:
    """Its answers are not made in advance, and do not hold the connection for ever."""
    app = Echo(idle_seconds=0.3, max_body_bytes=100_000)
    answered = 0

    def begin(request: Request) -> Response:
        nonlocal answered
        answered += 1
        return Response(200, b"x" * 1_000_000)

    app.begin = begin  # type: ignore[method-assign]

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.transport.pause_reading()
        writer.write(request("/a") * 100)
        await asyncio.sleep(1.5)
        return b""

    talk(app, what)
    assert 0 < answered < 100


def test_a_proxy_may_send_the_whole_url() -> None:
    """The absolute form of a target (RFC 9112, section 3.2.2)."""

    async def what(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(request("http://host:80/a?b", last=True))
        return await reader.read()

    assert bodies(talk(Echo(), what)) == [b"/a:"]
