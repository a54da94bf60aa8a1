"""What the server accepts, checked before any work is done for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffey.core.errors import InvalidRequest, ServeError
from coffey.core.settings import ServeSettings


class BodyTooLarge(ServeError):
    """A body over the limit; it was not read."""

    def __init__(self, limit: int, found: int | None = None) -> None:
        size = "more" if found is None else f"{found} bytes"
        super().__init__(
            f"The body has {size} and the limit is {limit} bytes (serve.max_body_bytes). Send fewer inputs."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one request."""

    max_body_bytes: int = 1_048_576
    max_inputs: int = 256
    max_text_chars: int = 20_000
    body_seconds: float = 10.0
    """Longest time that the rest of a body may take to arrive after its first bytes."""

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
