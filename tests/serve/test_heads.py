from __future__ import annotations

from dataclasses import replace

import pytest

from coffey.serve.exchange import Request
from coffey.serve.heads import Heads

HEAD = b"POST /v1/predict HTTP/1.1\r\nContent-Length: 3\r\n\r\n"


def read(body: bytes = b"abc") -> Request:
    return Request(
        b"POST", b"/v1/predict", [(b"content-length", b"3")], arrived=10.0, body=body, deadline=10.5
    )


def test_a_head_that_was_read_gives_the_same_request_with_another_body() -> None:
    """Its deadline counts from the new arrival."""
    heads = Heads()
    assert heads.find(HEAD + b"xyz", 20.0) is None
    heads.remember(HEAD + b"abc", read())
    found = heads.find(HEAD + b"xyz", 20.0)
    assert found is not None
    assert (found.path, found.body, found.arrived, found.deadline) == (b"/v1/predict", b"xyz", 20.0, 20.5)


@pytest.mark.parametrize("packet", [HEAD, HEAD + b"xy", HEAD + b"xyz" + HEAD, HEAD[:-2], b"\r\n\r\n", b""])
def test_only_a_packet_with_one_whole_request_is_known(packet: bytes) -> None:
    """What is cut, or has another request behind it, is left to the parser."""
    heads = Heads()
    heads.remember(HEAD + b"abc", read())
    assert heads.find(packet, 20.0) is None


@pytest.mark.parametrize(
    "request_",
    [replace(read(), key=b"k"), replace(read(), request_id=b"1"), replace(read(), traceparent=b"t")],
)
def test_keys_and_ids_are_not_kept(request_: Request) -> None:
    """A key stays in memory no longer than its request, and an id does not come again."""
    heads = Heads()
    heads.remember(HEAD + b"abc", request_)
    assert heads.find(HEAD + b"abc", 20.0) is None


def test_what_was_decoded_or_followed_by_more_is_not_kept() -> None:
    """A chunked body is not the bytes behind its head."""
    heads = Heads()
    for packet in (HEAD + b"3\r\nabc\r\n0\r\n\r\n", HEAD + b"abc" + HEAD + b"abc"):
        heads.remember(packet, read())
    assert heads.find(HEAD + b"abc", 20.0) is None


def test_memory_is_bounded() -> None:
    """Clients that say something new each time do not fill it, and a long head is not kept."""
    heads = Heads()
    heads.remember(HEAD[:-2] + b"x: " + b"y" * 2000 + b"\r\n\r\nabc", read())
    heads.remember(HEAD + b"abc", read())
    assert heads.find(HEAD + b"abc", 20.0) is not None
    for number in range(600):
        heads.remember(HEAD[:-2] + b"x: %d\r\n\r\nabc" % number, read())
    assert heads.find(HEAD + b"abc", 20.0) is None
