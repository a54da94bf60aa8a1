"""How a figure is written for people, in one place: counts, bytes, shares, money, times. Pure text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from coffey.core.records import Interval

ABSENT = "–"
MINUS = "−"

_MOST_DAYS = 365_000.0
_LONG = 1e15
"""Above it a number is written with its exponent: only an absurd range leads there."""


def count(value: float) -> str:
    """A count with at most three digits and a letter.

    >>> count(812), count(22_713_216), count(699_000), count(8_000)
    ('812', '22.7M', '699K', '8K')
    """
    for factor, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= factor * 0.9995:
            return f"{_digits(value / factor, 3)}{letter}"
    return _digits(value, 3)


def size(value: float) -> str:
    """Bytes in decimal units.

    >>> size(3_412_000), size(512)
    ('3.41 MB', '512 B')
    """
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= factor * 0.9995:
            return f"{_fixed(value / factor, 3)} {unit}"
    return f"{value:.0f} B"


def share(value: float, digits: int = 3) -> str:
    """A share or score between 0 and 1.

    >>> share(0.97123), share(1.0, 2)
    ('0.971', '1.00')
    """
    return _signed(f"{value:.{digits}f}")


def percent(value: float, digits: int = 1) -> str:
    """A share in percent, signed when it is below zero.

    >>> percent(0.031), percent(-0.5)
    ('3.1 %', '−50.0 %')
    """
    return _signed(f"{100 * value:,.{digits}f} %")


def chance(share: float) -> str:
    """A probability that was counted on draws, which do not tell it apart from 0 or 1 by less than a percent.

    >>> chance(0.043), chance(0.0), chance(0.999)
    ('4 %', 'less than 1 %', 'more than 99 %')
    """
    if share < 0.005:
        return "less than 1 %"
    return "more than 99 %" if share > 0.995 else percent(share, 0)


def span(low: str, high: str) -> str:
    """Two figures that are written already; one where they read the same.

    >>> span("never", "never"), span("1 day", "9 days")
    ('never', '1 day to 9 days')
    """
    return low if low == high else f"{low} to {high}"


def interval(estimate: Interval) -> str:
    """An estimate with its interval, in as many digits as the interval's width supports.

    >>> interval(Interval(0.9, 0.8512, 0.981)), interval(Interval(0.97123, 0.9632, 0.9793))
    ('0.90 (0.85–0.98)', '0.971 (0.963–0.979)')
    """
    width = abs(estimate.high - estimate.low)
    digits = min(max(2, 1 - math.floor(math.log10(width))), 4) if width > 0 else 3
    value, low, high = (share(x, digits) for x in (estimate.value, estimate.low, estimate.high))
    joint = " to " if estimate.low < 0 else "–"
    return f"{value} ({low}{joint}{high})"


def usd(value: float) -> str:
    """Dollars: cents from a dollar on, whole dollars from a hundred on, two digits below a dollar.

    >>> usd(0.00123), usd(5000), usd(-12.5), usd(0)
    ('$0.0012', '$5,000', '−$12.50', '$0')
    """
    size = abs(value)
    if size == 0:
        return "$0"
    if size > _LONG:
        shown = f"{size:.3g}"
    elif size >= 99.995:
        shown = f"{size:,.0f}"
    elif size >= 0.995:
        shown = f"{size:.2f}"
    else:
        shown = _fixed(size, 2)
    return f"{MINUS if value < 0 else ''}${shown}"


def days(value: float | None) -> str:
    """A number of days; hours or minutes when it is less than one; None means never.

    >>> days(41.3), days(1.04), days(0.25), days(0.01), days(None)
    ('41 days', '1 day', '6 hours', '14 minutes', 'never')
    """
    if value is None or not math.isfinite(value):
        return "never"
    if value > _MOST_DAYS:
        return "over 1,000 years"
    for factor, unit in ((1.0, "day"), (24.0, "hour"), (1440.0, "minute")):
        if value * factor >= 0.95:
            return _plural(value * factor, unit)
    return "0 days" if value == 0 else "under a minute"


def milliseconds(value: float) -> str:
    """A latency with three digits.

    >>> milliseconds(0.1234), milliseconds(12.0), milliseconds(1234.5)
    ('0.123 ms', '12.0 ms', '1,234 ms')
    """
    return f"{_fixed(value, 3)} ms"


def seconds(value: float) -> str:
    """A duration.

    >>> seconds(0.00007), seconds(0.25), seconds(42.4), seconds(200), seconds(4320)
    ('under 1 ms', '0.25 s', '42 s', '3 min 20 s', '1 h 12 min')
    """
    if 0 < value < 0.001:
        return "under 1 ms"
    if value < 9.95:
        return f"{_digits(value, 3 if value < 1 else 2)} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def ratio(value: float) -> str:
    """How many times.

    >>> ratio(8.31), ratio(22.7)
    ('8.3×', '23×')
    """
    return f"{_digits(value, 2)}×"


def rate(value: float) -> str:
    """How many a second.

    >>> rate(1234.5), rate(3.21)
    ('1,234/s', '3.21/s')
    """
    return f"{_digits(value, 3)}/s"


def measured(value: float | None, unit: str) -> str:
    """A number in the form of its unit; an unknown unit is written after it.

    >>> measured(12.34, "ms"), measured(0.5, "USD"), measured(3, "steps"), measured(None, "s")
    ('12.3 ms', '$0.50', '3 steps', '–')
    """
    if value is None:
        return ABSENT
    if unit in _FORMS:
        return _FORMS[unit](value)
    if unit.lower().startswith("usd/") or unit.lower().startswith("usd "):
        return f"{usd(value)}{unit[3:]}"
    return f"{_digits(value, 4)} {unit}"


def moment(stamp: str) -> str:
    """An ISO 8601 stamp in UTC, to the second; any other text as it is.

    >>> moment("2026-01-12T10:20:41.530Z")
    '2026-01-12 10:20:41 UTC'
    """
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)", stamp)
    return f"{found[1]} {found[2]} UTC" if found else stamp


def spoken(name: str) -> str:
    """The name of a figure as words.

    >>> spoken("teacher_usd_per_hour")
    'teacher USD per hour'
    """
    return re.sub(r"\busd\b", "USD", name.replace("_", " "))


def short(text: str, limit: int = 120) -> str:
    """A text of at most `limit` characters on one line.

    >>> short("a  b" * 3, 6)
    'a ba…'
    """
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _plural(value: float, unit: str) -> str:
    shown = f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")
    return f"{shown} {unit}{'' if shown == '1' else 's'}"


def _digits(value: float, significant: int) -> str:
    """At least `significant` digits, all of the whole part, no trailing zeros after it."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    if abs(value) > _LONG:
        return _signed(f"{value:.{significant}g}")
    shown = f"{value:,.{max(_decimals(value, significant), 0)}f}"
    return _signed(shown.rstrip("0").rstrip(".") if "." in shown else shown)


def _fixed(value: float, significant: int) -> str:
    """`significant` digits after the leading zeros, trailing zeros kept, never in exponent form."""
    if value == 0:
        return "0"
    return _signed(f"{value:,.{min(max(_decimals(value, significant), 0), 12)}f}")


def _decimals(value: float, significant: int) -> int:
    """How many decimals show `significant` digits of the value as it is rounded to them."""
    exponent = int(f"{value:.{significant - 1}e}".split("e")[1])
    return significant - 1 - exponent


def _signed(shown: str) -> str:
    return shown.replace("-", MINUS)


_FORMS: dict[str, Callable[[float], str]] = {
    "": lambda value: _digits(value, 4),
    "ms": milliseconds,
    "s": seconds,
    "seconds": seconds,
    "USD": usd,
    "usd": usd,
    "days": days,
    "bytes": size,
    "share": share,
    "rps": rate,
    "parameters": count,
    "params": count,
}
