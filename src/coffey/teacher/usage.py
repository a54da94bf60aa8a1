"""What answers used of an endpoint, as it reports it: what they are paid by."""

from __future__ import annotations

from dataclasses import dataclass, fields

_BYTES_A_TOKEN = 4
"""English text has about four characters a token (OpenAI, "What are tokens and how to count them?")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Counts of what was asked and answered."""

    requests: int = 0
    """Requests that came back with an answer, well-formed or not: those that are paid."""
    retries: int = 0
    """Requests that were sent again, because the one before failed."""
    malformed: int = 0
    """Answers that named no label."""
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Usage)}
        )

    def __sub__(self, before: Usage) -> Usage:
        """What was used since `before`."""
        return Usage(
            **{one.name: getattr(self, one.name) - getattr(before, one.name) for one in fields(Usage)}
        )


def estimated_tokens(text: str) -> int:
    """How many tokens a text has, about: its UTF-8 bytes over four, rounded up.

    >>> estimated_tokens("abcde"), estimated_tokens("")
    (2, 0)
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_A_TOKEN)
