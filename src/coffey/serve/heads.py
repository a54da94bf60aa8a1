"""Heads that were read before: a client says the same again and again, and the same bytes mean the same.

Finding a head in a dictionary takes less time than parsing it and reading its headers.
"""

from __future__ import annotations

from coffey.serve.exchange import Request

_END = b"\r\n\r\n"
_LONGEST = 1024
"""Bytes of a head that is remembered."""
_MOST = 512
"""Heads that are remembered: one for each length of body, of a few clients."""


class Heads:
    """Remembers the heads of requests that passed the screen, by all their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Request, int]] = {}

    def find(self, packet: bytes, arrived: float) -> Request | None:
        """The request that `packet` is, from its first byte to its last, where its head is known."""
        end = packet.find(_END) + len(_END)
        known = self._known.get(packet[:end])
        if known is None or known[1] != len(packet) - end:
            return None
        return _again(known[0], arrived, packet[end:])

    def remember(self, packet: bytes, request: Request) -> None:
        """Keep the head of a request that was read from `packet`, if there was nothing else in it.

        An id does not come again, and a key is not to be kept.
        """
        end = packet.find(_END) + len(_END)
        ids = request.key or request.request_id or request.traceparent
        if ids is not None or end > _LONGEST or packet[end:] != request.body:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[packet[:end]] = (_again(request, request.arrived, b""), len(request.body))


def _again(request: Request, arrived: float, body: bytes) -> Request:
    return Request(
        request.method,
        request.path,
        request.headers,
        arrived,
        request.keep_alive,
        body,
        arrived + (request.deadline - request.arrived),
        is_binary=request.is_binary,
        json_bytes=request.json_bytes,
        version=request.version,
    )
