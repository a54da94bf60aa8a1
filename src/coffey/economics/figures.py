"""Figures by where they come from, and the check that their values can be used."""

from __future__ import annotations

import math
from collections.abc import Mapping

from coffey.core.errors import ConfigError, Problem
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


def check_figures(
    figures: Mapping[str, Figure], *, at_least: Mapping[str, float], above_zero: frozenset[str]
) -> None:
    """Refuse values that no plan can be made of; figures in neither collection must be at least 0.

    Raises:
        ConfigError: every figure that is not finite or is out of its bounds.
    """
    problems = []
    for name, figure in figures.items():
        low = at_least.get(name, 0.0)
        strict = name in above_zero
        if math.isfinite(figure.value) and figure.value >= low and not (strict and figure.value == 0):
            continue
        expected = f"a finite number {'above 0' if strict else f'of at least {low:g}'} ({figure.unit})"
        problems.append(Problem(name, figure.value, expected))
    if problems:
        raise ConfigError("plan", problems)
