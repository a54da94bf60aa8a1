"""Forecast beside actual, so that the next forecast can be corrected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coffey.core.records import JsonObject, Origin
from coffey.economics.forecast import Forecast


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One figure, as it was forecast and as it came."""

    name: str
    unit: str
    forecast: float
    actual: float
    origin: Origin
    """Of the forecast."""
    source: str = ""
    """Where the actual value comes from."""
    modelled: bool = False
    """Of the forecast."""

    @property
    def error(self) -> float | None:
        """(forecast - actual) / actual: above 0, too much was forecast. None when only the actual is 0."""
        if self.actual == 0:
            return 0.0 if self.forecast == 0 else None
        return (self.forecast - self.actual) / self.actual


def reconcile(
    forecast: Forecast, actuals: Mapping[str, float], sources: Mapping[str, str] | None = None
) -> tuple[Reconciled, ...]:
    """Every figure that was forecast and then happened, in the forecast's order.

    `sources` says of actual values where they come from.
    """
    said = sources or {}
    return tuple(
        Reconciled(
            name,
            figure.unit,
            figure.value,
            actuals[name],
            figure.origin,
            said.get(name, ""),
            figure.modelled,
        )
        for name, figure in forecast.figures.items()
        if name in actuals
    )


def reconciled_json(rows: tuple[Reconciled, ...]) -> list[JsonObject]:
    """The `forecast_vs_actual` list of `--json`."""
    return [
        {
            "name": row.name,
            "unit": row.unit,
            "forecast": row.forecast,
            "actual": row.actual,
            "error": row.error,
            "origin": row.origin.value,
            "source": row.source,
        }
        for row in rows
    ]
