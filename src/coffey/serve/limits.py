"""What the server accepts, checked before any work is done for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from coffey.core.errors import InvalidRequest, Overloaded, ServeError
from coffey.core.settings import ServeSettings


class BodyTooLarge(ServeError):
    """A body over the limit; it was not read."""

    def __init__(self, limit: int, found: int | None = None) -> None:
        size = "more bytes than that" if found is None else f"{found} bytes"
        super().__init__(
            f"The limit is {limit} bytes (serve.max_body_bytes) and the body has {size}. Send fewer inputs."
        )


class HeadTooLarge(ServeError):
    """A request line and headers over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request line and headers have more than {limit} bytes. Send fewer.")


class BodyTooSlow(ServeError):
    """A request that did not arrive in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The request was not complete within {seconds:g} s.")


class UnsupportedBody(ServeError):
    """A body in an encoding or of a type that is not read."""

    def __init__(self, header: str, found: str, expected: str) -> None:
        super().__init__(f"{header} {found!r} is not accepted. {expected}")


class DeadlineExceeded(ServeError):
    """The time that the client gave the request was over before the model ran for it."""

    def __init__(self) -> None:
        super().__init__("The time of x-request-timeout-ms was over before the model could run. It did not.")


class NotServed(ServeError):
    """A model, or a version of it, that is not the one in service."""

    def __init__(self, what: str, asked: str, served: str) -> None:
        super().__init__(f"{what} {asked[:80]!r} is not served here: {served!r} is.")


def check_served(version: str, digest: str) -> None:
    """Refuse a version that is not the digest of the artifact in service.

    Raises:
        NotServed: it is another one.
    """
    if version != digest:
        raise NotServed("Version", version, digest)


class QueueTooSlow(Overloaded):
    """What waits already would take longer than a request may wait."""

    def __init__(self, expected_s: float, allowed_s: float) -> None:
        self.retry_after_s = max(1.0, math.ceil(expected_s))
        ServeError.__init__(
            self,
            f"The queue would take {1000 * expected_s:.0f} ms and this request may wait "
            f"{1000 * allowed_s:.0f} ms (serve.max_queue_ms, or its own x-request-timeout-ms). "
            f"Try again in {self.retry_after_s:g} s.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one request."""

    max_body_bytes: int = 1_048_576
    max_inputs: int = 256
    max_text_chars: int = 20_000
    body_seconds: float = 10.0
    """Longest time that a request may take to arrive after its first bytes."""
    max_header_bytes: int = 65_536
    """Of the request line and all headers."""
    idle_seconds: float = 75.0
    """After which a connection that asks nothing is closed."""

    @classmethod
    def of(cls, settings: ServeSettings) -> Limits:
        """The limits that `[serve]` sets."""
        return cls(
            max_body_bytes=settings.max_body_bytes,
            max_inputs=settings.max_inputs,
            max_text_chars=settings.max_text_chars,
        )

    def check_length(self, content_length: bytes) -> None:
        """Refuse a body by what its header says.

        Raises:
            BodyTooLarge: it is over the limit.
            InvalidRequest: the header is not a number.
        """
        if not content_length.isdigit():
            raise InvalidRequest(f"content-length {content_length!r} is not a number.")
        length = int(content_length)
        if length > self.max_body_bytes:
            raise BodyTooLarge(self.max_body_bytes, length)

    def check_texts(self, texts: Sequence[str], field: str) -> None:
        """Refuse what is too much; `field` names the texts in the message.

        Raises:
            InvalidRequest: no text, too many, or one that is too long.
        """
        if not 0 < len(texts) <= self.max_inputs:
            raise InvalidRequest(
                f"{field!r} has {len(texts)} texts; 1 to {self.max_inputs} are accepted (serve.max_inputs)."
            )
        for index, text in enumerate(texts):
            if len(text) > self.max_text_chars:
                raise InvalidRequest(
                    f"{field!r}[{index}] has {len(text)} characters and the limit is {self.max_text_chars} "
                    "(serve.max_text_chars)."
                )
