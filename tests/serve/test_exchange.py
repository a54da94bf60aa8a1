from __future__ import annotations

import asyncio

import pytest

from coffey.core.errors import InvalidRequest, NotReady, Overloaded
from coffey.serve.exchange import (
    BodyTooSlow,
    ClientGone,
    UnsupportedEncoding,
    check_headers,
    read_body,
    refusal,
)
from coffey.serve.limits import BodyTooLarge, Limits

LIMITS = Limits(max_body_bytes=10, body_seconds=0.05)


def receiver(*messages: dict[str, object]):
    left = list(messages)

    async def receive() -> dict[str, object]:
        if not left:
            await asyncio.sleep(60)
        return left.pop(0)

    return receive


def piece(body: bytes, *, more: bool = False) -> dict[str, object]:
    return {"type": "http.request", "body": body, "more_body": more}


def read(*messages: dict[str, object]) -> bytes:
    return asyncio.run(read_body(receiver(*messages), LIMITS))


def test_a_body_is_whole_whatever_its_pieces() -> None:
    """One message or several, the limit included."""
    assert read(piece(b"0123456789")) == b"0123456789"
    assert read(piece(b"01", more=True), piece(b"", more=True), piece(b"23456789")) == b"0123456789"


def test_a_body_over_the_limit_is_not_read_on() -> None:
    """Neither in one message nor in several."""
    with pytest.raises(BodyTooLarge):
        read(piece(b"01234567890"))
    with pytest.raises(BodyTooLarge):
        read(piece(b"012345678", more=True), piece(b"90", more=True))


def test_a_body_that_does_not_come_is_given_up() -> None:
    """A client that stops sending, and one that left."""
    with pytest.raises(BodyTooSlow):
        read(piece(b"01", more=True))
    with pytest.raises(ClientGone):
        read(piece(b"01", more=True), {"type": "http.disconnect"})


def test_headers_alone_can_refuse() -> None:
    """By length and by encoding."""
    check_headers([(b"content-length", b"10"), (b"content-encoding", b"identity")], LIMITS)
    with pytest.raises(BodyTooLarge):
        check_headers([(b"content-length", b"11")], LIMITS)
    with pytest.raises(InvalidRequest):
        check_headers([(b"content-length", b"ten")], LIMITS)
    with pytest.raises(UnsupportedEncoding):
        check_headers([(b"content-encoding", b"gzip")], LIMITS)


def test_each_refusal_has_its_status() -> None:
    """And those that a retry may mend say when."""
    cases = [
        (BodyTooSlow(1.0), 408, []),
        (BodyTooLarge(10), 413, []),
        (UnsupportedEncoding("gzip"), 415, []),
        (InvalidRequest("no"), 422, []),
        (Overloaded(5, 4, 3.0), 429, [(b"retry-after", b"3")]),
        (NotReady("no"), 503, [(b"retry-after", b"1")]),
    ]
    for exc, status, headers in cases:
        found, body, extra = refusal(exc)
        assert (found, extra) == (status, headers)
        assert str(exc).encode()[:5] in body
