"""A number that is only known to lie between two, and how people write one."""

from __future__ import annotations

import math
import re

_PLAIN = r"[-+]?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_NUMBER = re.compile(rf"\s*({_PLAIN})\s*([KMB]?)\s*", re.IGNORECASE)
_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}
_DOLLARS = re.compile(r"\$|US\$|\bUSD\b", re.IGNORECASE)
_FOREIGN = re.compile(r"[€£¥]|\b(?:EUR|GBP|JPY|CHF|CNY|INR)\b", re.IGNORECASE)


class Range(float):
    """A number known to lie between `low` and `high`; wherever one number is needed, it is its middle.

    The middle is the geometric mean: half and double are equally likely errors of a guess, so draws are
    log-uniform and the geometric mean is their median. Where `low` is not above 0 there is no such mean;
    draws are uniform then, and the middle is the arithmetic mean.

    >>> Range(1, 100) + 0, Range(0, 8) + 0, Range(1, 100).high
    (10.0, 4.0, 100.0)

    Raises:
        ValueError: an end is not finite, or `low` is above `high`.
    """

    __slots__ = ("high", "low")

    low: float
    high: float

    def __new__(cls, low: float, high: float) -> Range:
        """A range with its middle as its value."""
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"{low!r} to {high!r} is no range")
        middle = math.sqrt(low) * math.sqrt(high) if low > 0 else low / 2 + high / 2
        made = super().__new__(cls, min(max(middle, low), high))
        made.low, made.high = float(low), float(high)
        return made

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]
        """How copies are made."""
        return (self.low, self.high)

    def __repr__(self) -> str:
        return f"Range({self.low!r}, {self.high!r})"

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


Amount = float | Range
"""A number that the user may also give as a range."""


def read_number(text: str) -> float | None:
    """The number that a text writes, with the same letters as the sizes of stages; None when it is none.

    >>> read_number("8_000_000"), read_number("1.5M"), read_number("many")
    (8000000.0, 1500000.0, None)
    """
    found = _NUMBER.fullmatch(text)
    number = float(found[1]) * _UNITS[found[2].upper()] if found else math.inf
    return number if math.isfinite(number) else None


def read_range(text: str) -> Range:
    """The range that `low..high` writes.

    >>> read_range("8M..12M").low, read_range("0.1 .. 0.4") + 0
    (8000000.0, 0.2)

    Raises:
        ValueError: it is no range, or its ends stand the wrong way round.
    """
    low, high = _ends(text)
    if low is None or high is None:
        raise ValueError(f"{text!r} is no range 'low..high'")
    return Range(low, high)


def how_to_write(text: str) -> str:
    """What to write instead of a text that is no amount; empty when that cannot be told.

    >>> how_to_write("$0.17")
    'amounts are in USD and written without a sign: write 0.17'
    >>> how_to_write("5..1"), how_to_write("10M")
    ("write '1..5'", 'write 10000000 without quotes')
    """
    if _FOREIGN.search(text):
        return "amounts are in USD: convert it and write the number alone"
    bare = _DOLLARS.sub("", text).strip()
    if (written := _rewritten(bare)) is None:
        return ""
    if bare != text.strip():
        return f"amounts are in USD and written without a sign: write {written}"
    return f"write {written}" if written.startswith("'") else f"write {written} without quotes"


def _rewritten(text: str) -> str | None:
    if (number := read_number(text)) is not None:
        return f"{number:.12g}"
    low, high = _ends(text)
    if low is None or high is None:
        return None
    first, second = sorted((low, high))
    return f"'{first:.12g}..{second:.12g}'"


def _ends(text: str) -> tuple[float | None, float | None]:
    low, dots, high = text.partition("..")
    return (read_number(low), read_number(high)) if dots else (None, None)
