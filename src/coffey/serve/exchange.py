"""Reading an ASGI request's body within limits, and writing an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from coffey.core.errors import InvalidRequest, NotReady, Overloaded, ServeError
from coffey.serve.bodies import ErrorBody
from coffey.serve.limits import BodyTooLarge, Limits

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

CLOSE: Header = (b"connection", b"close")
encoder = msgspec.json.Encoder()


class UnsupportedEncoding(ServeError):
    """A body in an encoding that is not read."""

    def __init__(self, encoding: str) -> None:
        super().__init__(f"content-encoding {encoding!r} is not accepted. Send the body as it is.")


class BodyTooSlow(ServeError):
    """A body that did not arrive in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The body was not complete within {seconds:g} s.")


class ClientGone(ServeError):
    """The client closed the connection; nobody waits for an answer."""


STATUS: dict[type[ServeError], int] = {
    BodyTooSlow: 408,
    BodyTooLarge: 413,
    UnsupportedEncoding: 415,
    InvalidRequest: 422,
    Overloaded: 429,
    NotReady: 503,
}
UNREAD = (408, 413, 415)
"""Refusals of the body itself: the connection is closed, so that the rest of it is not read either."""


def check_headers(headers: Iterable[Header], limits: Limits) -> None:
    """Refuse by the headers alone.

    Raises:
        BodyTooLarge: the body is over the limit.
        UnsupportedEncoding: the body is compressed.
    """
    for name, value in headers:
        if name == b"content-length":
            limits.check_length(value)
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise UnsupportedEncoding(value.decode("latin-1"))


async def read_body(receive: Receive, limits: Limits) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge: it grew over the limit (a chunked body says no length beforehand).
        BodyTooSlow: the rest did not come in time.
        ClientGone: it will not come.
    """
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message["body"]
        if len(body) > limits.max_body_bytes:
            raise BodyTooLarge(limits.max_body_bytes)
        return body
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read_rest(message, receive, limits)
    except TimeoutError as exc:
        raise BodyTooSlow(limits.body_seconds) from exc


async def _read_rest(message: Message, receive: Receive, limits: Limits) -> bytes:
    body = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message["body"]
        if len(body) > limits.max_body_bytes:
            raise BodyTooLarge(limits.max_body_bytes)
        if not message.get("more_body"):
            return bytes(body)
        message = await receive()


def refusal(exc: ServeError) -> tuple[int, bytes, list[Header]]:
    """Status, body and further headers that say `exc`."""
    status = STATUS.get(type(exc), 500)
    headers: list[Header] = []
    if isinstance(exc, Overloaded):
        headers.append((b"retry-after", b"%d" % exc.retry_after_s))
    elif isinstance(exc, NotReady):
        headers.append((b"retry-after", b"1"))
    return status, encoder.encode(ErrorBody(str(exc))), headers


async def respond(
    send: Send, status: int, body: bytes, content_type: bytes, headers: Iterable[Header] = ()
) -> None:
    """Send one whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
