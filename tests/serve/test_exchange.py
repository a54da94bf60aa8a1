from __future__ import annotations

import math

import pytest

from coffey.core.errors import InvalidRequest, NotReady, Overloaded
from coffey.serve.exchange import CLOSE, STATUS, Request, read_head, refusal
from coffey.serve.keys import Unauthorized
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

LIMITS = Limits(max_body_bytes=10)
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def head(*headers: tuple[bytes, bytes]) -> Request:
    request = Request(b"POST", b"/v1/predict", list(headers), arrived=100.0)
    read_head(request, LIMITS)
    return request


def test_headers_alone_can_refuse() -> None:
    """By length, by encoding, by type."""
    head((b"content-length", b"10"), (b"content-encoding", b"identity"))
    head((b"content-type", b"application/json"))
    head((b"content-type", b"Application/JSON; charset=utf-8"))
    with pytest.raises(BodyTooLarge):
        head((b"content-length", b"11"))
    with pytest.raises(InvalidRequest):
        head((b"content-length", b"ten"))
    with pytest.raises(UnsupportedBody, match="gzip"):
        head((b"content-encoding", b"gzip"))
    with pytest.raises(UnsupportedBody, match="text/plain"):
        head((b"content-type", b"text/plain"))


def test_a_timeout_becomes_a_deadline() -> None:
    """Milliseconds from the arrival; anything but a whole number of at least 1 is refused."""
    assert head().deadline == math.inf
    assert head((b"x-request-timeout-ms", b"250")).deadline == pytest.approx(100.25)
    for wrong in (b"0", b"-1", b"1.5", b"soon", b"", b"9" * 30, b"9" * 5000):
        with pytest.raises(InvalidRequest, match="x-request-timeout-ms"):
            head((b"x-request-timeout-ms", wrong))


def test_ids_are_passed_on_when_they_are_well_formed() -> None:
    """What could break a header or a log line is not."""
    assert head((b"x-request-id", b"mine-1")).request_id == b"mine-1"
    assert head((b"traceparent", TRACE)).traceparent == TRACE
    for wrong in (b"", b"a b", b"a\x7f", b"\xc3\xa4", b"a" * 129):
        assert head((b"x-request-id", wrong)).request_id is None
    for wrong in (b"", TRACE[:-1], TRACE.upper(), TRACE + b"0"):
        assert head((b"traceparent", wrong)).traceparent is None


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        (b"x-api-key", b"secret", b"secret"),
        (b"authorization", b"Bearer secret", b"secret"),
        (b"authorization", b"bearer  secret", b"secret"),
        (b"authorization", b"Basic c2VjcmV0", None),
    ],
)
def test_a_key_comes_in_either_header(name, value, key) -> None:
    """`X-API-Key`, or `Authorization` with a bearer."""
    assert head((name, value)).key == key


def test_each_refusal_has_its_status() -> None:
    """Those that a retry may mend say when; after those of an unread body the connection closes."""
    cases = {
        401: (Unauthorized(), [(b"www-authenticate", b"Bearer"), CLOSE]),
        404: (NotServed("Version", "0", "1"), []),
        408: (BodyTooSlow(1.0), [CLOSE]),
        413: (BodyTooLarge(10), [CLOSE]),
        415: (UnsupportedBody("content-encoding", "gzip", "Send the body as it is."), [CLOSE]),
        422: (InvalidRequest("no"), []),
        431: (HeadTooLarge(10), [CLOSE]),
        503: (NotReady("no"), [(b"retry-after", b"1")]),
        504: (DeadlineExceeded(), []),
    }
    for status, (exc, headers) in cases.items():
        found = refusal(exc, "predict")
        assert (found.status, found.headers, found.route) == (status, headers, "predict")
        assert str(exc).encode()[:5] in found.body
    for late in (Overloaded(5, 4, 3.0), QueueTooSlow(2.5, 0.1)):
        assert (refusal(late).status, refusal(late).headers) == (429, [(b"retry-after", b"3")])
    assert set(STATUS.values()) == {*cases, 429}
