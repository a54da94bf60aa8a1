"""What a chart shows besides its marks: axes, threshold lines, events, spans, caption and data table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "good", "bad"]


def number(value: float) -> str:
    """A tick as people write it: 1,500 and 0.25.

    >>> number(1500.0), number(0.25), number(-3.0)
    ('1,500', '0.25', '−3')
    """
    if not math.isfinite(value):
        return "–"
    shown = f"{value:,.0f}" if abs(value) >= 100 and value == round(value) else f"{value:,.4g}"
    return shown.replace("-", "−")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis: its label (with the unit), its form of numbers and its domain."""

    label: str
    form: Callable[[float], str] = number
    log: bool = False
    include: tuple[float, ...] = ()
    """Values that must be visible whatever the data."""
    pad: float = 0.04
    """Share of the domain left free at each end."""
    ticks: bool = True
    within: tuple[float, float] | None = None
    """Values that the domain never goes beyond, such as 0 and 1 for a share."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A labelled line across the plot: a threshold (at a y) or an event (at an x)."""

    at: float
    label: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of the x axis, shaded."""

    low: float
    high: float
    label: str
    shaded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Axes and everything that is drawn across the whole plot."""

    x: Axis
    y: Axis
    thresholds: tuple[Mark, ...] = ()
    events: tuple[Mark, ...] = ()
    spans: tuple[Span, ...] = ()
    left_px: float = 0.0
    """Room left of the plot, at least; equal rooms align the plots of two charts."""
    right_px: float = 0.0
    """Room right of the plot, at least, where threshold labels stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What a chart is called and says; `half` when two may stand side by side; height in px if unusual."""

    title: str
    description: str
    half: bool = False
    height: float | None = None
