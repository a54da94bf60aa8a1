"""Figures by where they come from, and the check that their values can be used."""

from __future__ import annotations

import math
from collections.abc import Mapping

from coffey.core.errors import ConfigError, Problem
from coffey.core.ranges import Range
from coffey.core.records import Figure, Origin


def measured(value: float, unit: str, note: str) -> Figure:
    """A figure that was measured here; `note` says how."""
    return Figure(value, unit, Origin.MEASURED, note)


def configured(value: float, unit: str, note: str) -> Figure:
    """A figure that the user set; `note` names the key."""
    return Figure(value, unit, Origin.CONFIGURED, note)


def assumed(value: float, unit: str, note: str) -> Figure:
    """A figure that nobody measured or set; `note` says why this value."""
    return Figure(value, unit, Origin.ASSUMED, note)


def ranges_of(amounts: Mapping[str, float | None]) -> dict[str, tuple[float, float]]:
    """Low and high end of the amounts that the user gave as ranges."""
    return {name: (one.low, one.high) for name, one in amounts.items() if isinstance(one, Range)}


def check_figures(
    figures: Mapping[str, Figure],
    *,
    at_least: Mapping[str, float],
    above_zero: frozenset[str],
    at_most: Mapping[str, float] | None = None,
) -> None:
    """Refuse values that no plan can be made of; figures in none of the collections must be at least 0.

    Raises:
        ConfigError: every figure that is not finite or is out of its bounds.
    """
    problems = []
    for name, figure in figures.items():
        low, high = at_least.get(name, 0.0), (at_most or {}).get(name, math.inf)
        strict = name in above_zero
        if math.isfinite(figure.value) and low <= figure.value <= high and not (strict and figure.value == 0):
            continue
        most = "" if math.isinf(high) else f" and at most {high:g}"
        expected = f"a finite number {'above 0' if strict else f'of at least {low:g}'}{most} ({figure.unit})"
        problems.append(Problem(name, figure.value, expected))
    if problems:
        raise ConfigError("plan", problems)


def check_ranges(ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse ranges whose ends stand the wrong way round.

    Raises:
        ConfigError: every range whose low end is not below or at its high end.
    """
    expected = "a low end that is not above the high end"
    problems = [Problem(name, ends, expected) for name, ends in ranges.items() if not ends[0] <= ends[1]]
    if problems:
        raise ConfigError("plan", problems)
