"""What asking a teacher costs, counted before it is spent."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coffey.core.errors import ConfigError, Problem
from coffey.core.settings import CostSettings
from coffey.teacher.protocol import ExportableTeacher, Teacher

_BYTES_A_TOKEN = 4
"""English text has about four characters a token (OpenAI, "What are tokens and how to count them?")."""


class Unit(enum.Enum):
    """What a price is a price of."""

    HOUR = "usd_per_hour"
    """One hour of the machine that the teacher runs on."""
    REQUESTS_1K = "usd_per_1k_requests"
    """1,000 texts."""
    TOKENS_1M = "usd_per_1m_tokens"
    """1,000,000 input tokens."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in USD of one unit."""

    unit: Unit
    usd: float

    @classmethod
    def from_settings(cls, cost: CostSettings) -> Price | None:
        """The one price that `teacher.cost` states; None when it states none.

        Raises:
            ConfigError: it states more than one.
        """
        stated = {unit: usd for unit in Unit if (usd := getattr(cost, unit.value)) is not None}
        if len(stated) > 1:
            names = ", ".join(unit.value for unit in stated)
            raise ConfigError("teacher", [Problem("teacher.cost", names, "one price")])
        return next((cls(unit, usd) for unit, usd in stated.items()), None)

    def of(self, *, requests: int, tokens: int, seconds: float) -> float:
        """USD for so many texts, input tokens and seconds of the machine.

        >>> Price(Unit.REQUESTS_1K, 0.5).of(requests=200, tokens=0, seconds=0.0)
        0.1
        """
        amount = {
            Unit.HOUR: seconds / 3600,
            Unit.REQUESTS_1K: requests / 1000,
            Unit.TOKENS_1M: tokens / 1_000_000,
        }
        return amount[self.unit] * self.usd


class Meter:
    """Counts what was spent on one teacher, and says what the next batch will cost.

    Requests and tokens have an exact price before they are asked. Time does not: the next batch is expected
    to take as long a text as those before it, and the first batch is expected to cost nothing.
    """

    def __init__(self, price: Price | None, teacher: Teacher) -> None:
        self._price = price
        self._count_tokens, self.note = _counting(price, teacher)
        self._texts = 0
        self.seconds = 0.0
        self._spent = 0.0

    @property
    def usd(self) -> float | None:
        """USD spent so far; None without a price."""
        return None if self._price is None else self._spent

    def expected(self, texts: Sequence[str]) -> float:
        """USD that asking `texts` next is expected to cost; 0 without a price."""
        pace = self.seconds / self._texts if self._texts else 0.0
        return self._cost(texts, pace * len(texts))

    def charge(self, texts: Sequence[str], seconds: float) -> None:
        """Count a batch that was answered within `seconds`."""
        self._spent += self._cost(texts, seconds)
        self.seconds += seconds
        self._texts += len(texts)

    def _cost(self, texts: Sequence[str], seconds: float) -> float:
        if self._price is None:
            return 0.0
        return self._price.of(requests=len(texts), tokens=self._count_tokens(texts), seconds=seconds)


def _counting(price: Price | None, teacher: Teacher) -> tuple[Callable[[Sequence[str]], int], str]:
    """How tokens are counted, and the words that say where the USD come from."""
    if price is None:
        return _no_tokens, "no price is configured (teacher.cost)"
    if price.unit is not Unit.TOKENS_1M:
        measured = "measured time" if price.unit is Unit.HOUR else "counted requests"
        return _no_tokens, f"{measured} at teacher.cost.{price.unit.value} = {price.usd:g}"
    configured = f"at teacher.cost.{price.unit.value} = {price.usd:g}"
    if not isinstance(teacher, ExportableTeacher):
        return _estimated_tokens, f"tokens estimated as UTF-8 bytes / {_BYTES_A_TOKEN} {configured}"
    tokenizer = teacher.tokenizer()
    return (
        lambda texts: sum(len(encoding) for encoding in tokenizer.encode_batch_fast(list(texts))),
        f"tokens counted by the teacher's tokenizer {configured}",
    )


def _no_tokens(texts: Sequence[str]) -> int:
    return 0


def _estimated_tokens(texts: Sequence[str]) -> int:
    return sum(math.ceil(len(text.encode("utf-8", "surrogatepass")) / _BYTES_A_TOKEN) for text in texts)
