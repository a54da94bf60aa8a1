"""What is sent about a text, and what an answer says: a distribution over the labels, or nothing usable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from coffey.core.ids import digest_bytes
from coffey.core.settings import AskingSettings
from coffey.teacher.choices import Choices, Spelling
from coffey.teacher.completion import Choice
from coffey.teacher.logprobs import label_mass
from coffey.teacher.prompt import Prompt
from coffey.teacher.usage import Usage, estimated_tokens

_FRAME_TOKENS = 8
"""What chat templates put around a message, about."""


class Question:
    """How one model is asked for one of the labels."""

    def __init__(self, model: str, settings: AskingSettings, template: str, labels: Sequence[str]) -> None:
        """Raises ConfigError when the labels cannot be told apart in an answer."""
        self.choices = Choices(labels, Spelling(settings.spelling))
        self._settings = settings
        self._prompt = Prompt(template=template, system=settings.system)
        self._listed = self.choices.listed()
        self._sampled = settings.distribution == "samples"
        more = json.loads(settings.extra) if settings.extra else {}
        decoding = {"max_tokens": settings.max_tokens, "temperature": 1.0 if self._sampled else 0.0}
        told = {} if self._sampled else {"logprobs": True, "top_logprobs": settings.top_logprobs}
        body = {"model": model, **decoding, **told, **more}
        self._body = {name: value for name, value in body.items() if value is not None}

    def meaning(self) -> dict[str, object]:
        """Everything here that decides what an answer is, as JSON values."""
        settings = self._settings
        drawn = {"samples": settings.samples, "smoothing": settings.smoothing, "seed": settings.seed}
        return {
            "template": self._prompt.template,
            "system": self._prompt.system,
            "spelling": settings.spelling,
            "distribution": settings.distribution,
            "body": self._body,
            **(drawn if self._sampled else {}),
        }

    def body(self, text: str, *, answers: int, turn: int) -> dict[str, object]:
        """The request for so many answers, in the `turn`-th asking (from 0) about this text.

        The seed depends on the text and the turn, so that an endpoint that heeds it answers the same way in
        every run, and another way when it is asked again. Half of a surrogate pair, which JSON over HTTP
        cannot carry, is asked about as a question mark.
        """
        sendable = text.encode("utf-8", "replace").decode()
        asked = self._prompt.messages(sendable, labels=self._listed)
        many = {"n": answers} if answers > 1 else {}
        seed = digest_bytes(f"{self._settings.seed}:{turn}:".encode() + text.encode("utf-8", "surrogatepass"))
        return {"messages": asked, "seed": int(seed[:7], 16), **many, **self._body}

    def expected(self, text: str, *, answers: int) -> Usage:
        """What such a request uses: its tokens estimated, its answers as long as they may be."""
        messages = self._prompt.messages(text, labels=self._listed)
        asked = sum(estimated_tokens(message["content"]) + _FRAME_TOKENS for message in messages)
        limit = self._body.get("max_tokens") or self._body.get("max_completion_tokens") or 0
        return Usage(requests=1, input_tokens=asked, output_tokens=cast(int, limit) * answers)

    def named(self, choice: Choice) -> int | None:
        """The label that a sampled answer names."""
        return None if choice.message.refusal else self.choices.read(choice.said())

    def weighed(self, choice: Choice) -> npt.NDArray[np.float64] | None:
        """Probabilities, float64 [labels], by the tokens of an answer; None when it says too little.

        The probability that is not with any label is left out: what remains is what the model would answer
        if it had to name one.
        """
        positions = choice.positions()
        if positions is None or choice.message.refusal:
            return None
        mass = label_mass(self.choices, positions)
        total: float = mass.sum()
        return mass / total if total >= self._settings.min_mass else None
