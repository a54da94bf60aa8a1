"""Who may look and who may write: keys, sessions that end, forms that only their session can send."""

from __future__ import annotations

from hashlib import sha256

import pytest
from starlette.requests import HTTPConnection

from coffey.dashboard.live.access import COOKIE, LASTS_S, Access, NotAllowed, Role, Visitor
from coffey.serve.keys import ApiKeys


def keys(*known: str) -> ApiKeys:
    return ApiKeys(sha256(key.encode()).hexdigest() for key in known)


def sent(**head: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in head.items()]
    return HTTPConnection({"type": "http", "headers": raw})


def visited(access: Access, cookie: str) -> Visitor:
    return access.visitor(sent(cookie=f"{COOKIE}={cookie}"))


def test_without_read_keys_everybody_looks_and_nobody_writes():
    """Read-only is what a dashboard is without keys."""
    access = Access(keys(), keys())
    assert access.visitor(sent()).role is Role.READER
    assert access.visitor(sent(x_api_key="anything")).role is Role.READER
    assert access.sign_in("anything") is None


def test_with_read_keys_a_stranger_sees_nothing():
    """A key is asked for, in either head; a write key opens the pages, too."""
    access = Access(keys("r"), keys("w"))
    assert access.visitor(sent()).role is Role.NOBODY
    assert access.visitor(sent(x_api_key="guess")).role is Role.NOBODY
    assert access.visitor(sent(x_api_key="r")).role is Role.READER
    assert access.visitor(sent(authorization="Bearer w")).role is Role.WRITER


def test_a_session_lasts_half_a_day_and_cannot_be_made_up():
    """Neither a changed cookie, nor one of another process, nor an old one opens anything."""
    now = [1000.0]
    access = Access(keys("r"), keys("w"), now=lambda: now[0])
    cookie = access.sign_in("w")
    assert cookie is not None
    assert visited(access, cookie).role is Role.WRITER
    assert visited(Access(keys("r"), keys("w")), cookie).role is Role.NOBODY
    assert visited(access, f"A{cookie[1:]}").role is Role.NOBODY
    assert visited(access, "é.ü").role is Role.NOBODY
    now[0] += LASTS_S + 1
    assert visited(access, cookie).role is Role.NOBODY


def test_a_form_is_of_one_session():
    """The token of one session does not send the form of another; a key in the head needs none."""
    access = Access(keys(), keys("w"))
    first, second = (visited(access, access.sign_in("w") or "") for _ in range(2))
    access.check_form(first, access.form_token(first))
    with pytest.raises(NotAllowed):
        access.check_form(first, access.form_token(second))
    with pytest.raises(NotAllowed):
        access.check_form(first, "")
    access.check_form(access.visitor(sent(x_api_key="w")), "")
