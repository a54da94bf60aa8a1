"""The body of a chat completion, as OpenAI describes it and others send it: the fields that are used here."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from coffey.teacher.logprobs import Candidate, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEntry:
    """A token of the answer with its likeliest alternatives, itself among them."""

    token: str
    logprob: float
    top_logprobs: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logprobs:
    """The tokens of an answer; None where the endpoint gives none."""

    content: list[TokenEntry] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the model wrote, or why it would not."""

    content: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer."""

    message: Message = field(default_factory=Message)
    finish_reason: str | None = None
    logprobs: Logprobs | None = None

    def said(self) -> str:
        """The answer in words, for reading and for messages."""
        return self.message.content or ""

    def shown(self) -> str:
        """The answer as a message quotes it: shortened, with why it is empty."""
        if self.message.refusal:
            return f"a refusal ({self.message.refusal[:80]!r})"
        said = self.said()
        return f"{said[:80]!r}" + ("" if said else f" (finish_reason {self.finish_reason!r})")

    def positions(self) -> tuple[Position, ...] | None:
        """The answer's tokens with their alternatives; None where the endpoint gives no probabilities."""
        entries = self.logprobs.content if self.logprobs else None
        if not entries:
            return None
        return tuple(
            Position(
                Candidate(entry.token, entry.logprob),
                tuple(other for other in entry.top_logprobs if other.token != entry.token),
            )
            for entry in entries
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """What the endpoint says it counted."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One response."""

    choices: list[Choice]
    usage: TokenCounts | None = None
    model: str | None = None
    system_fingerprint: str | None = None


def read_completion(body: bytes) -> Completion | str:
    """The response of these bytes, or what is wrong with them."""
    try:
        found = msgspec.json.decode(body, type=Completion)
    except msgspec.MsgspecError as exc:
        return f"its body is no chat completion ({exc})"
    return found if found.choices else "its body holds no choice"
