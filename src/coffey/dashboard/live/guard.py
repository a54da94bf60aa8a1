"""The head of every response, and requests that are refused by theirs. Plain ASGI."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEAD = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""A response may say otherwise about how long it is kept."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Sets `HEAD`; refuses unknown hosts, and what a page of another site sends."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] | None = None) -> None:
        """Answer for `hosts` alone; for any where None, which is for servers that ask for a key.

        A page of another site could else bend its own name to this address (DNS rebinding) and read along.
        """
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                head = MutableHeaders(scope=message)
                for name, value in HEAD.items():
                    head.setdefault(name, value)
            await send(message)

        problem = self._problem(scope["method"], Headers(scope=scope))
        if problem:
            await PlainTextResponse(problem, status_code=403)(scope, receive, send_on)
        else:
            await self._app(scope, receive, send_on)

    def _problem(self, method: str, head: Headers) -> str:
        host = head.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return f"This dashboard answers at {', '.join(sorted(self._hosts))} only, not at {host!r}.\n"
        if method == "POST":
            origin = head.get("origin")
            if origin is not None and urlsplit(origin).netloc != host:
                return "This form was sent by another site.\n"
            if head.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return "This form was sent by another site.\n"
        return ""


def _name(host: str) -> str:
    """The name in a Host header, without the port.

    >>> _name("[::1]:8081"), _name("localhost")
    ('::1', 'localhost')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
