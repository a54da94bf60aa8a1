"""A request and its answer, between the connection that carries them and the application that answers.

What the head of a request says is read here: lengths, types, the deadline, the key, ids to pass on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from coffey.core.errors import InvalidRequest, NotReady, Overloaded, ServeError
from coffey.serve.bodies import ErrorBody
from coffey.serve.keys import HEADER, Unauthorized, key_in
from coffey.serve.limits import (
    BodyTooLarge,
    BodyTooSlow,
    DeadlineExceeded,
    HeadTooLarge,
    Limits,
    NotServed,
    QueueTooSlow,
    UnsupportedBody,
)

Header = tuple[bytes, bytes]

CLOSE: Header = (b"connection", b"close")
JSON, BINARY = b"application/json", b"application/octet-stream"
JSON_BYTES = b"inference-header-content-length"
encoder = msgspec.json.Encoder()

STATUS: dict[type[ServeError], int] = {
    Unauthorized: 401,
    NotServed: 404,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
    UnsupportedBody: 415,
    InvalidRequest: 422,
    Overloaded: 429,
    QueueTooSlow: 429,
    HeadTooLarge: 431,
    NotReady: 503,
    DeadlineExceeded: 504,
}
UNREAD = (401, 408, 413, 415, 431)
"""Refusals of the body itself: the connection is closed, so that the rest of it is not read either."""

DAY_MS = 86_400_000
_DAY_DIGITS = len(str(DAY_MS))
_LENGTH_DIGITS = 18
_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""


@dataclass(slots=True, eq=False)
class Request:
    """One request as it comes in."""

    method: bytes
    path: bytes
    headers: list[Header]
    """Names in lower case."""
    arrived: float
    """When the packet came that completed the head; seconds of the clock."""
    keep_alive: bool = True
    body: bytes = b""
    deadline: float = math.inf
    """When nobody waits for the answer any more; seconds of the clock."""
    request_id: bytes | None = None
    """`x-request-id`, where it is short and visible ASCII."""
    traceparent: bytes | None = None
    key: bytes | None = None
    is_binary: bool = False
    """Whether its body is said to be more than JSON."""
    json_bytes: int | None = None
    """How many bytes of the body are JSON, where tensors follow it."""
    version: str | None = None
    """The version of the model that is asked, where the path names one."""
    refused: Response | None = None
    """The answer, where the head or the size of the body alone gave it."""


@dataclass(slots=True, eq=False)
class Response:
    """One answer."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: list[Header] = field(default_factory=list)
    route: str = "unknown"
    sent: Callable[[float], None] | None = None
    """Told when the answer was on the socket, in seconds of the clock."""


def read_head(request: Request, limits: Limits, *, binary: bool = False) -> None:
    """Take from the headers what is needed of them, and refuse by them alone.

    Args:
        request: gets what is read.
        limits: bounds of its length.
        binary: whether its body may be JSON and what follows it.

    Raises:
        BodyTooLarge: the body is over the limit.
        UnsupportedBody: it is compressed, or of another type.
        InvalidRequest: a length or time that is no number.
    """
    for name, value in request.headers:
        reader = _READERS.get(name)
        if reader is not None:
            reader(request, limits, value)
    if request.is_binary and not binary:
        raise _unsupported_type(BINARY)


def _unsupported_type(value: bytes) -> UnsupportedBody:
    return UnsupportedBody("content-type", value.decode("latin-1"), "Send application/json.")


def _length(request: Request, limits: Limits, value: bytes) -> None:
    limits.check_length(value)


def _encoding(request: Request, limits: Limits, value: bytes) -> None:
    if value.lower() != b"identity":
        raise UnsupportedBody("content-encoding", value.decode("latin-1"), "Send the body as it is.")


def _type(request: Request, limits: Limits, value: bytes) -> None:
    if value == JSON:
        return
    kind = value.partition(b";")[0].strip().lower()
    request.is_binary = kind == BINARY
    if kind not in (JSON, BINARY):
        raise _unsupported_type(value)


def _json_bytes(request: Request, limits: Limits, value: bytes) -> None:
    if not value.isdigit() or len(value) > _LENGTH_DIGITS:
        shown = value[:40].decode("latin-1")
        raise InvalidRequest(f"inference-header-content-length {shown!r}: expected a number of bytes.")
    request.json_bytes = int(value)


def _timeout(request: Request, limits: Limits, value: bytes) -> None:
    if not value.isdigit() or len(value) > _DAY_DIGITS or not 0 < int(value) <= DAY_MS:
        expected = f"a whole number of milliseconds from 1 to {DAY_MS}"
        raise InvalidRequest(f"x-request-timeout-ms {value[:40].decode('latin-1')!r}: expected {expected}.")
    request.deadline = request.arrived + int(value) / 1000


def _request_id(request: Request, limits: Limits, value: bytes) -> None:
    if _ID.fullmatch(value):
        request.request_id = value


def _traceparent(request: Request, limits: Limits, value: bytes) -> None:
    if _TRACE.fullmatch(value):
        request.traceparent = value


def _api_key(request: Request, limits: Limits, value: bytes) -> None:
    request.key = key_in(HEADER, value)


def _authorization(request: Request, limits: Limits, value: bytes) -> None:
    request.key = key_in(b"authorization", value) or request.key


_READERS: dict[bytes, Callable[[Request, Limits, bytes], None]] = {
    b"content-length": _length,
    b"content-encoding": _encoding,
    b"content-type": _type,
    JSON_BYTES: _json_bytes,
    b"x-request-timeout-ms": _timeout,
    b"x-request-id": _request_id,
    b"traceparent": _traceparent,
    HEADER: _api_key,
    b"authorization": _authorization,
}


def refusal(exc: ServeError, route: str = "unknown") -> Response:
    """The answer that says `exc`."""
    status = STATUS.get(type(exc), 500)
    headers: list[Header] = []
    if isinstance(exc, Overloaded):
        headers.append((b"retry-after", b"%d" % exc.retry_after_s))
    elif isinstance(exc, NotReady):
        headers.append((b"retry-after", b"1"))
    elif isinstance(exc, Unauthorized):
        headers.append((b"www-authenticate", b"Bearer"))
    if status in UNREAD:
        headers.append(CLOSE)
    return Response(status, encoder.encode(ErrorBody(str(exc))), headers=headers, route=route)
