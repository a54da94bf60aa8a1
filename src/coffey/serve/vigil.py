"""Staying awake for a moment after an answer, where the next request has come within that moment lately.

Who sleeps is woken by an interrupt, often on a core that went to sleep as well, and goes on with cold caches.
Who looks once more instead spends processor time, which pays only where requests follow each other closely.
So, as the kernel's haltpoll governor does, it is done only after it would have paid several times.
"""

from __future__ import annotations

import asyncio
import math

from coffey.core.clock import Clock, monotonic

LONGEST_SECONDS = 0.0002
"""Of one vigil; `guest_halt_poll_ns` is as long (https://docs.kernel.org/virt/guest-halt-polling.html)."""
ROW = 8
"""Requests in a row that come within that time before the first vigil; one that does not ends them."""


class Vigil:
    """Keeps an event loop awake between an answer and the next request."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._since = -math.inf
        self._row = 0
        self._looking = False

    def came(self, now: float) -> None:
        """Bytes came."""
        self._row = self._row + 1 if now - self._since <= LONGEST_SECONDS else 0
        self._since = -math.inf

    def rest(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing is left to do."""
        self._since = self._clock()
        if self._row >= ROW and not self._looking:
            self._looking = True
            loop.call_soon(self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call again, for a while: whenever the loop has something to call, it also looks who came."""
        self._looking = self._clock() - self._since <= LONGEST_SECONDS
        if self._looking:
            loop.call_soon(self._look, loop)
