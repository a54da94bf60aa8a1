"""Who looks, and who may change something: keys, a signed cookie for browsers, and a token for forms.

Keys are the server's: long random strings of which only SHA-256 digests are known. A browser sends one once
and gets a cookie that lasts half a day and that scripts cannot read. A form carries a token of its session,
so that no other site can send it (a cookie of `SameSite=Strict` is not sent from there, either).
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from coffey.core.clock import unix_now
from coffey.core.errors import CoffeyError
from coffey.serve.keys import ApiKeys, key_in

COOKIE = "coffey_session"
LASTS_S = 12 * 3600


class Role(enum.IntEnum):
    """What a visitor may do; each may do what those before may."""

    NOBODY = 0
    READER = 1
    WRITER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who sent a request."""

    role: Role
    key: str = ""
    """The first digits of the digest of the key, to tell keys apart in the registry's log."""
    session: str = ""
    """Names the browser's session; empty for one that sends its key with every request."""


class NotAllowed(CoffeyError):
    """Something was asked for that needs another key, or a form that was not ours."""

    exit_code = 2

    def __init__(self, what: str, needed: str) -> None:
        super().__init__(f"{what} needs {needed}.")


class Access:
    """Knows read and write keys. Without read keys everybody may look; without write keys nobody writes."""

    def __init__(
        self,
        read: ApiKeys,
        write: ApiKeys,
        *,
        secret: bytes | None = None,
        now: Callable[[], float] = unix_now,
    ) -> None:
        """Sign sessions with `secret`; a fresh one ends the sessions of an earlier process."""
        self.read, self.write = read, write
        self._secret = secrets.token_bytes(32) if secret is None else secret
        self._now = now

    @property
    def asks_for_keys(self) -> bool:
        """Whether signing in is of any use."""
        return self.read.required or self.write.required

    def visitor(self, request: HTTPConnection) -> Visitor:
        """Who sent this, by a key in its head, else by its cookie."""
        for name, value in request.headers.raw:
            key = key_in(name, value) if name in (b"x-api-key", b"authorization") else None
            if key is not None:
                return self._of_key(key)
        return self._of_cookie(request.cookies.get(COOKIE, ""))

    def sign_in(self, key: str) -> str | None:
        """The cookie of a new session; None for a key that is not known."""
        found = self._of_key(key.encode())
        if not found.key:
            return None
        body = {
            "role": int(found.role),
            "key": found.key,
            "session": secrets.token_hex(16),
            "until": self._now() + LASTS_S,
        }
        packed = base64.urlsafe_b64encode(json.dumps(body).encode()).decode()
        return f"{packed}.{self._sign('session', packed)}"

    def form_token(self, visitor: Visitor) -> str:
        """What a form of this session carries."""
        return self._sign("form", visitor.session)

    def check_form(self, visitor: Visitor, token: str) -> None:
        """Refuse what a form of another session, or of another site, sent.

        Raises:
            NotAllowed: the token is not this session's. Who sends a key with the request needs none: no
                browser adds one by itself.
        """
        expected = self.form_token(visitor)
        if visitor.session and not hmac.compare_digest(token.encode(), expected.encode()):
            raise NotAllowed("This", "a form of this session; load the page again")

    def _of_key(self, key: bytes) -> Visitor:
        shown = hashlib.sha256(key).hexdigest()[:8]
        if self.write.required and self.write.allow(key):
            return Visitor(role=Role.WRITER, key=shown)
        if self.read.required and self.read.allow(key):
            return Visitor(role=Role.READER, key=shown)
        return self._stranger()

    def _of_cookie(self, cookie: str) -> Visitor:
        packed, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", packed).encode()):
            return self._stranger()
        body = json.loads(base64.urlsafe_b64decode(packed))
        if body["until"] < self._now():
            return self._stranger()
        return Visitor(role=Role(body["role"]), key=body["key"], session=body["session"])

    def _stranger(self) -> Visitor:
        return Visitor(role=Role.NOBODY if self.read.required else Role.READER)

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._secret, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()
