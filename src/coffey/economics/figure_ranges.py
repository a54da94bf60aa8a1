"""How far the figures of a project may be off: as configured, as calibrated, or by their origin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields

from coffey.core.ranges import Range
from coffey.core.records import Figure, Origin
from coffey.core.settings import Settings
from coffey.economics.figures import ranges_of
from coffey.economics.inputs import AT_MOST

RANGE = {Origin.MEASURED: 1.1, Origin.ASSUMED: 2.0}
"""Factor down and up that a figure may be wrong by: a timing on a machine with neighbours; a guess."""

WIDE = 1000.0
"""A range whose ends differ by more says little: the plan notes it."""

_EXACT = frozenset({"transfer_rows", "holdout_rows", "label_rows", "teacher_p50_ms", "student_p50_ms"})
"""Counted, or without effect on money."""


def figure_ranges(
    figures: Mapping[str, Figure], settings: Settings, calibrated: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Low and high value of every figure that is not known exactly; what the file says comes first."""
    usual = {
        name: _around(name, figure.value, RANGE[figure.origin])
        for name, figure in figures.items()
        if figure.origin in RANGE and name not in _EXACT
    }
    found = {**usual, **calibrated, **_configured(figures, settings)}
    return {name: ends for name, ends in found.items() if name in figures}


def wide_ranges(ranges: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
    """What to note about ranges, by the keys that set them, that are too wide to plan with."""
    return tuple(
        f"{key} may be anything from {low:g} to {high:g}: that leaves the answer open."
        for key, (low, high) in ranges.items()
        if low > 0 and high / low > WIDE
    )


def configured_ranges(settings: Settings) -> dict[str, tuple[float, float]]:
    """The ranges of `[economics]`, by their keys."""
    return ranges_of({f"economics.{name}": getattr(settings.economics, name) for name in _amounts(settings)})


def _around(name: str, value: float, factor: float) -> tuple[float, float]:
    return (value / factor, min(value * factor, AT_MOST.get(name, math.inf)))


def _configured(figures: Mapping[str, Figure], settings: Settings) -> dict[str, tuple[float, float]]:
    economics, cost = settings.economics, settings.teacher.cost
    training = economics.training_usd_per_hour
    amounts: dict[str, float | None] = {
        **{name: getattr(economics, name) for name in _amounts(settings)},
        "training_usd_per_hour": economics.student_usd_per_hour if training is None else training,
        "teacher_usd_per_hour": cost.usd_per_hour,
        "teacher_usd_per_1k": cost.usd_per_1k_requests,
    }
    return {**ranges_of(amounts), **_by_tokens(figures, cost.usd_per_1m_tokens)}


def _by_tokens(figures: Mapping[str, Figure], usd: float | None) -> dict[str, tuple[float, float]]:
    """A price by the token: its own range, and how far the tokens of an input may be off."""
    if not isinstance(usd, Range) or not usd.high > 0:
        return {}
    per_usd, factor = figures["teacher_usd_per_1k"].value / usd, RANGE[Origin.ASSUMED]
    return {"teacher_usd_per_1k": (usd.low * per_usd / factor, usd.high * per_usd * factor)}


def _amounts(settings: Settings) -> list[str]:
    return [one.name for one in fields(settings.economics)]
