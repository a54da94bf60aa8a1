"""One client connection: bytes to requests and answers to bytes, with uvicorn's server around it.

It does what uvicorn's own protocol does, without ASGI between it and the application: no dictionaries of
messages, no events to wait for a body that is there, and head and body in one packet. An answer is begun when
the request is whole, and takes a task only where something is to be waited for. Pipelined requests are
answered one after the other, in their order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, Protocol

import httptools
import uvicorn
from uvicorn.server import ServerState

from coffey.core.clock import monotonic
from coffey.core.errors import InvalidRequest, ServeError
from coffey.serve.exchange import CLOSE, Request, Response, refusal
from coffey.serve.heads import Heads
from coffey.serve.limits import BodyTooLarge, BodyTooSlow, HeadTooLarge, Limits
from coffey.serve.vigil import Vigil

PIPELINED = 16
"""Whole requests of one connection that may wait; then it is not read on until one is answered."""
CHUNKING = 8
"""A chunked body may come in so many times its bytes: in chunks of one byte each takes 6."""
LINGER_SECONDS = 1.0
"""How long what was refused unread is still taken and dropped. Closing on unread bytes would reset the
connection, and the client would lose the answer (RFC 9112, section 9.6)."""

_STATUS_LINES = {int(one): b"HTTP/1.1 %d %s\r\n" % (one, one.phrase.encode()) for one in HTTPStatus}
_NO_BODY, _TUNNEL = b"HEAD", b"CONNECT"


class Application(Protocol):
    """What a connection asks for answers."""

    leaving: bool
    """Whether connections are closed after their answer."""
    begun: int
    """Requests that were read and are not done with, of all connections."""
    limits: Limits
    vigil: Vigil
    """Told when bytes come, and when nothing is left to do."""
    heads: Heads
    """Those that passed the screen."""

    def screen(self, request: Request) -> Response | None:
        """Refuse by the head alone, before the body is read; None lets the body come."""

    def admit(self, request: Request) -> Response | None:
        """Refuse by the moment alone a request whose head passed the screen before; None lets it come."""

    def begin(self, request: Request) -> Response | Coroutine[Any, Any, Response]:
        """Answer a whole request: at once, or with what is to be awaited. Neither raises."""

    def refused(self, response: Response, request: Request | None) -> None:
        """Hear of an answer that `begin` did not make; the request is None where none could be read."""


class Connection(asyncio.Protocol):
    """The protocol that uvicorn's server makes for each client."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app: Application = config.loaded_app
        self._limits = self._app.limits
        self._state = server_state
        self._loop = _loop or asyncio.get_event_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._reading: Request | None = None
        self._read: Request | None = None
        self._pieces: bytearray | None = None
        self._message_bytes = 0
        self._in_head = self._in_message = self._expects = self._completed = False
        self._arrived = monotonic()
        self._turns: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._ended = self._lingers = self._held = False
        self._slow: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None

    # From the transport.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        self._transport = transport
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._idle = self._loop.call_later(self._limits.idle_seconds, self._look_whether_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone. A request in work goes on, and its answer goes nowhere."""
        self._state.connections.discard(self)
        self._ended = True
        self._turns.clear()
        for timer in (self._slow, self._idle):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._ended:
            return
        self._arrived = monotonic()
        self._app.vigil.came(self._arrived)
        self._completed = False
        begins = not self._in_message
        request = self._app.heads.find(data, self._arrived) if begins else None
        if request is not None:
            self._take_again(request)
            return
        self._read = None
        self._feed(data)
        if self._in_message and not self._ended:
            self._incomplete(0 if self._completed else len(data))
        elif begins and self._read is not None:
            self._app.heads.remember(data, self._read)

    def eof_received(self) -> bool:
        """The client sends nothing more; it still gets the answers to what it sent."""
        self._ended = True
        return self._busy

    def pause_writing(self) -> None:
        """The client does not read its answers: then nothing more is read of it."""
        self._held = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._held = False
        if len(self._turns) < PIPELINED:
            self._transport.resume_reading()
        if self._turns and self._task is None:
            self._next()

    def shutdown(self) -> None:
        """Close after the answer in work."""
        if self._busy:
            self._end()
        else:
            self._transport.close()

    # From the parser.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url, self._headers = b"", []
        self._message_bytes, self._pieces = 0, None
        self._in_head, self._in_message, self._expects = True, True, False

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; what follows a chunked body is none that counts here."""
        if not self._in_head:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole: refuse by it, or let the body come."""
        self._in_head = False
        parser = self._parser
        if self._ended or (parser.should_upgrade() and parser.get_method() != _TUNNEL):
            return  # an upgrade comes again, without its header
        keep_alive = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        path = _path(self._url)
        request = Request(parser.get_method(), path, self._headers, self._arrived, keep_alive)
        refused = self._app.screen(request)
        if refused is not None:
            self._refuse(request, refused)
            return
        self._reading = request
        if self._expects and not self._busy:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        request = self._reading
        if request is None:
            return
        if not request.body:
            request.body = body
        else:
            if self._pieces is None:
                self._pieces = bytearray(request.body)
            self._pieces += body
        size = len(body) if self._pieces is None else len(self._pieces)
        if size > self._limits.max_body_bytes:
            self._refuse(request, refusal(BodyTooLarge(self._limits.max_body_bytes)))

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_message, self._completed = False, True
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
        if self._lingers:
            self._transport.close()
        request, self._reading = self._reading, None
        self._read = request
        if request is None or self._ended:
            return
        if self._pieces is not None:
            request.body = bytes(self._pieces)
        self._take(request)

    # In between.

    def _take_again(self, request: Request) -> None:
        """Take a whole request whose head was read before."""
        refused = self._app.admit(request)
        if refused is None:
            self._take(request)
        else:
            self._refuse(request, refused)

    def _take(self, request: Request) -> None:
        """Answer a whole request in its turn."""
        self._turns.append(request)
        if self._task is None and not self._held:
            self._next()
        elif len(self._turns) >= PIPELINED:
            self._transport.pause_reading()

    def _feed(self, data: bytes) -> None:
        """Parse. Whoever asks for another protocol is answered in this one (RFC 9110, section 7.8)."""
        rest = memoryview(data)
        try:
            while rest and not self._ended:
                try:
                    self._parser.feed_data(rest)
                    return
                except httptools.HttpParserUpgrade as exc:
                    rest = rest[exc.args[0] :]
                    if not self._ended:
                        self._begin_without_upgrade()
        except httptools.HttpParserError:
            self._refuse_unread(InvalidRequest("This is no HTTP/1.1 request."), status=400)

    def _begin_without_upgrade(self) -> None:
        """Read the same head again without the header that makes the parser take no body."""
        head = b"%b %b HTTP/1.1\r\n" % (self._parser.get_method(), self._url)
        kept = [b"%b: %b\r\n" % header for header in self._headers if header[0] != b"upgrade"]
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"".join([head, *kept, b"\r\n"]))

    @property
    def _busy(self) -> bool:
        return self._task is not None or bool(self._turns)

    def _next(self) -> None:
        """Begin the next answer. What cannot be answered at once is a task."""
        if len(self._turns) == PIPELINED:
            self._transport.resume_reading()
        request = self._turns.popleft()
        self._app.begun += 1
        begun = request.refused or self._app.begin(request)
        if isinstance(begun, Response):
            self._finish(begun, request)
            return
        self._task = self._loop.create_task(self._wait(begun, request))
        self._state.tasks.add(self._task)

    async def _wait(self, begun: Coroutine[Any, Any, Response], request: Request) -> None:
        task = self._task
        assert task is not None
        try:
            response = await begun
        except BaseException:
            self._app.begun -= 1
            self._transport.abort()
            raise
        finally:
            self._state.tasks.discard(task)
            self._task = None
        self._finish(response, request)

    def _finish(self, response: Response, request: Request) -> None:
        """Send an answer and begin the next one. What is left to do comes when the answer is on its way."""
        self._loop.call_soon(self._sent, response, request)
        self._write(response, request)
        if self._turns and not self._transport.is_closing():
            if not self._held:
                self._next()
        elif self._ended and not self._lingers:
            self._transport.close()

    def _sent(self, response: Response, request: Request) -> None:
        self._app.begun -= 1
        if request.refused is not None:
            self._app.refused(response, request)
        if response.sent is not None:
            response.sent(monotonic())
        if not self._app.begun:
            self._app.vigil.rest(self._loop)

    def _write(self, response: Response, request: Request | None) -> None:
        """Head and body in one packet."""
        if self._transport.is_closing():
            return
        parts = [_STATUS_LINES[response.status]]
        for name, value in self._state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        parts += (
            b"content-type: ",
            response.content_type,
            b"\r\ncontent-length: %d\r\n" % len(response.body),
        )
        for name, value in response.headers:
            parts += (name, b": ", value, b"\r\n")
        last = request is None or not request.keep_alive or self._app.leaving
        if last and CLOSE not in response.headers:
            parts.append(b"connection: close\r\n")
        parts.append(b"\r\n")
        if request is None or request.method != _NO_BODY:
            parts.append(response.body)
        self._transport.write(b"".join(parts))
        self._state.total_requests += 1
        if last or CLOSE in response.headers:
            self._ended = True
            self._turns.clear()
            self._close()

    def _close(self) -> None:
        """Close, or where the client is still sending: say that nothing more comes, and close soon."""
        if not self._in_message:
            self._transport.close()
            return
        self._lingers = True
        if self._transport.can_write_eof():  # TLS has no half-closed connection
            self._transport.write_eof()
        if self._slow is not None:
            self._slow.cancel()
        self._slow = self._loop.call_later(LINGER_SECONDS, self._transport.close)

    def _refuse(self, request: Request, response: Response) -> None:
        """Answer before the body was read: at once when it is this request's turn."""
        self._reading = None
        if not self._busy:
            self._write(response, request)
            self._app.refused(response, request)
            return
        request.refused = response
        self._turns.append(request)
        if CLOSE in response.headers:
            self._end()

    def _refuse_unread(self, exc: ServeError, status: int | None = None) -> None:
        """Refuse what is no whole request; what was asked before is still answered."""
        if self._ended:
            return
        busy = self._busy
        self._end()
        if not busy:
            response = refusal(exc)
            response.status = status or response.status
            self._write(response, None)
            self._app.refused(response, None)

    def _end(self) -> None:
        """Read nothing more, and close after what is to be answered."""
        self._ended = True
        self._reading = None

    def _incomplete(self, size: int) -> None:
        """A request has begun and is not whole: it has so much time, and so many bytes.

        A packet that also held the end of the request before it does not count.
        """
        limits = self._limits
        self._message_bytes += size
        if self._in_head and self._message_bytes > limits.max_header_bytes:
            self._refuse_unread(HeadTooLarge(limits.max_header_bytes))
            return
        if self._message_bytes > limits.max_header_bytes + CHUNKING * limits.max_body_bytes:
            self._refuse_unread(BodyTooLarge(limits.max_body_bytes))
            return
        if self._slow is None:
            self._slow = self._loop.call_later(self._limits.body_seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._slow = None
        self._refuse_unread(BodyTooSlow(self._limits.body_seconds))

    def _look_whether_idle(self) -> None:
        """Close when nothing came for a while; else look again when that could be.

        Whoever does not read its answers either loses them.
        """
        left = self._arrived + self._limits.idle_seconds - monotonic()
        if left <= 0 and (self._held or self._transport.is_closing()):
            self._transport.abort()
        elif left <= 0 and not self._busy:
            self._transport.close()
        else:
            self._idle = self._loop.call_later(max(left, 1.0), self._look_whether_idle)


def _path(target: bytes) -> bytes:
    """The path of a request's target, which a proxy may send with the scheme and host before it.

    >>> _path(b"/healthz?x=1"), _path(b"http://host:80/healthz")
    (b'/healthz', b'/healthz')
    """
    if not target.startswith(b"/"):
        scheme, _, rest = target.partition(b"://")
        if scheme.lower() in (b"http", b"https"):
            target = b"/" + rest.partition(b"/")[2]
    return target.partition(b"?")[0]
