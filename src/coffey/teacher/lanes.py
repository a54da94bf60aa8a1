"""Connections to one endpoint, each with a client of its own.

One client with many connections looks at all of them for every request (httpcore 1.0): with 64, a request
took ten times the processor time that it takes with one client a connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class Lanes:
    """As many connections as are in use at once; one that is free is used again before another is opened."""

    def __init__(self, *, timeout_s: float, key: str | None) -> None:
        """`timeout_s` is for each step of a request; `key` is sent as a bearer token."""
        self._timeout_s = timeout_s
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._trust = httpx.create_ssl_context()
        self._free: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """A connection that nobody else uses meanwhile."""
        lane = self._free.pop() if self._free else self._opened()
        try:
            yield lane
        finally:
            self._free.append(lane)

    async def close(self) -> None:
        """Close the connections that are free."""
        while self._free:
            await self._free.pop().aclose()

    def _opened(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            limits=_ONE, timeout=self._timeout_s, headers=self._headers, verify=self._trust
        )
