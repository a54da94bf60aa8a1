"""What asking a teacher costs, counted before it is spent."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from coffey.core.errors import ConfigError, Problem
from coffey.core.settings import CostSettings
from coffey.teacher.protocol import ExportableTeacher, MeteredTeacher, Teacher
from coffey.teacher.usage import Usage, estimated_tokens

Counting = Callable[[Sequence[str]], Usage]
"""What asking some texts uses, as far as that is known before."""


class Unit(enum.Enum):
    """What a price is a price of."""

    HOUR = "usd_per_hour"
    """One hour of the machine that the teacher runs on."""
    REQUESTS_1K = "usd_per_1k_requests"
    """1,000 texts; of a teacher that says what it used, 1,000 requests."""
    TOKENS_1M = "usd_per_1m_tokens"
    """1,000,000 input tokens; output tokens may have a price of their own."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in USD of one unit."""

    unit: Unit
    usd: float
    output_usd: float = 0.0
    """Beside a price of input tokens: that of 1,000,000 output tokens."""

    @classmethod
    def from_settings(cls, cost: CostSettings) -> Price | None:
        """The one price that `teacher.cost` states; None when it states none.

        Raises:
            ConfigError: it states more than one, or a price of output tokens without one of input tokens.
        """
        stated = {unit: usd for unit in Unit if (usd := getattr(cost, unit.value)) is not None}
        if len(stated) > 1:
            names = ", ".join(unit.value for unit in stated)
            raise ConfigError("teacher", [Problem("teacher.cost", names, "one price")])
        output = cost.usd_per_1m_output_tokens
        if output is not None and Unit.TOKENS_1M not in stated:
            expected = f"{Unit.TOKENS_1M.value} beside it"
            raise ConfigError("teacher", [Problem("teacher.cost.usd_per_1m_output_tokens", output, expected)])
        return next((cls(unit, usd, output or 0.0) for unit, usd in stated.items()), None)

    def of(self, usage: Usage, *, seconds: float) -> float:
        """USD for so much use and so many seconds of the machine.

        >>> Price(Unit.REQUESTS_1K, 0.5).of(Usage(requests=200), seconds=0.0)
        0.1
        >>> Price(Unit.TOKENS_1M, 0.15, 0.6).of(Usage(input_tokens=2000, output_tokens=1000), seconds=1.0)
        0.0009
        """
        if self.unit is Unit.HOUR:
            return seconds / 3600 * self.usd
        if self.unit is Unit.REQUESTS_1K:
            return usage.requests / 1000 * self.usd
        return (usage.input_tokens * self.usd + usage.output_tokens * self.output_usd) / 1_000_000


class Meter:
    """Counts what was spent on one teacher, and says what the next batch will cost.

    Requests and tokens are counted before they are asked. A teacher that says what it used is charged by
    that, and what is expected of it is corrected by how far expectations were off so far. Time is not known
    before: the next batch is expected to take as long a text as those before it, and the first batch is
    expected to cost nothing.
    """

    def __init__(self, price: Price | None, teacher: Teacher) -> None:
        self._price = price
        self._count, self.note = _counting(price, teacher)
        self._metered = teacher if isinstance(teacher, MeteredTeacher) else None
        self._used = self._metered.usage if self._metered else Usage()
        self._texts = 0
        self.seconds = 0.0
        self._spent = 0.0
        self._foreseen = 0.0

    @property
    def usd(self) -> float | None:
        """USD spent so far; None without a price."""
        return None if self._price is None else self._spent

    def expected(self, texts: Sequence[str]) -> float:
        """USD that asking `texts` next is expected to cost; 0 without a price."""
        if self._price is None:
            return 0.0
        pace = self.seconds / self._texts if self._texts else 0.0
        off = self._spent / self._foreseen if self._metered and self._foreseen else 1.0
        return off * self._price.of(self._count(texts), seconds=pace * len(texts))

    def charge(self, texts: Sequence[str], seconds: float) -> None:
        """Count texts that were answered within `seconds`."""
        self.seconds += seconds
        self._texts += len(texts)
        if self._price is None:
            return
        counted = self._count(texts)
        used = self._since() if self._metered else counted
        self._spent += self._price.of(used, seconds=seconds)
        self._foreseen += self._price.of(counted, seconds=seconds)

    def _since(self) -> Usage:
        """What the teacher used since it was last looked at."""
        before, self._used = self._used, self._metered.usage if self._metered else Usage()
        return self._used - before


def _counting(price: Price | None, teacher: Teacher) -> tuple[Counting, str]:
    """How use is counted before it happens, and the words that say where the USD come from."""
    if price is None:
        return _texts_alone, "no price is configured (teacher.cost)"
    configured = f"at teacher.cost.{price.unit.value} = {price.usd:g}"
    if price.output_usd:
        configured += f" and {price.output_usd:g} for output"
    if price.unit is Unit.HOUR:
        return _texts_alone, f"measured time {configured}"
    if isinstance(teacher, MeteredTeacher):
        return teacher.expected, f"{_UNITS[price.unit]} as the endpoint counted them {configured}"
    if price.unit is Unit.REQUESTS_1K:
        return _texts_alone, f"counted requests {configured}"
    if not isinstance(teacher, ExportableTeacher):
        return _estimated, f"tokens estimated as UTF-8 bytes / 4 {configured}"
    tokenizer = teacher.tokenizer()
    return (
        lambda texts: _read(len(encoding) for encoding in tokenizer.encode_batch_fast(list(texts))),
        f"tokens counted by the teacher's tokenizer {configured}",
    )


_UNITS = {Unit.REQUESTS_1K: "requests", Unit.TOKENS_1M: "tokens"}


def _texts_alone(texts: Sequence[str]) -> Usage:
    return Usage(requests=len(texts))


def _estimated(texts: Sequence[str]) -> Usage:
    return _read(estimated_tokens(text) for text in texts)


def _read(tokens: Iterable[int]) -> Usage:
    return Usage(input_tokens=sum(tokens))
