"""The outcome: the models beside each other, and the forecast beside what happened."""

from __future__ import annotations

from collections.abc import Callable

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.page import Section, Table
from coffey.dashboard.reading import estimate, number, rows, words

Cell = Callable[[JsonObject], str]


def outcome_section(result: JsonObject) -> Section | None:
    """The final table; the last row is the student that ships."""
    found = rows(result, "table")
    if not found:
        return None
    shown = [(title, cell) for title, key, cell in _COLUMNS if any(row.get(key) is not None for row in found)]
    body = [tuple(cell(row) for _, cell in shown) for row in found]
    table = Table([title for title, _ in shown], body, strong_rows=frozenset({len(body) - 1}))
    return Section("Teacher and students", "What each model costs, weighs and answers.", [table])


def forecast_section(result: JsonObject) -> Section | None:
    """Forecast, actual and error of everything that was forecast."""
    found = rows(result, "forecast_vs_actual")
    if not found:
        return None
    body = [
        (
            figures.spoken(words(row, "name")),
            figures.measured(number(row, "forecast"), words(row, "unit")),
            figures.measured(number(row, "actual"), words(row, "unit")),
            _error(number(row, "error")),
        )
        for row in found
    ]
    table = Table(("figure", "forecast", "actual", "error"), body)
    return Section("Forecast and actual", "What was promised before the run, and what the run did.", [table])


def _error(error: float | None) -> str:
    if error is None:
        return figures.ABSENT
    return ("+" if error > 0 else "") + figures.percent(error)


def _quality(row: JsonObject) -> str:
    found = estimate(row, "quality")
    value = number(row, "quality")
    return figures.interval(found) if found else figures.ABSENT if value is None else figures.share(value)


def _in(key: str, unit: str) -> Cell:
    return lambda row: figures.measured(number(row, key), unit)


def _break_even(row: JsonObject) -> str:
    value = number(row, "break_even_days")
    return figures.ABSENT if value is None else figures.days(value)


_COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("model", "model", lambda row: words(row, "model")),
    ("params", "params", _in("params", "params")),
    ("size", "bytes", _in("bytes", "bytes")),
    ("quality", "quality", _quality),
    ("p50", "p50_ms", _in("p50_ms", "ms")),
    ("p99", "p99_ms", _in("p99_ms", "ms")),
    ("per 1,000", "usd_per_1k", _in("usd_per_1k", "USD")),
    ("breaks even", "break_even_days", _break_even),
)
