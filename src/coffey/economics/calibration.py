"""How wrong forecasts of a kind have been, and what the next one of that kind should allow for.

Each finished run leaves the logarithm of actual over forecast, once for each kind of figure. They are taken
for normal with unknown centre and spread. Before any run, the spread is that of the default range, read as
the 10th to the 90th percentile; that belief weighs as much as `PRIOR_RUNS` runs:

    centre = n / (n + k) x median of the log-ratios
    spread^2 = (k s0^2 + sum (log-ratio - centre)^2) / (k + n),   s0 = ln(default factor) / z(0.9)
    range = exp(centre -+ z(0.9) spread)

The spread is the scale of the scaled inverse chi-squared posterior of a normal variance, the centre that of a
conjugate normal prior at 0 (Gelman et al. 2013, Bayesian Data Analysis, 2.6 and 3.3), with the median in
place of the mean, so that one wild run widens the range and does not move its middle.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coffey.core.records import Figure, Origin

PRIOR_RUNS = 4.0
"""How many runs the default range counts as: chosen; after four runs the record weighs half."""

RecordKey = tuple[str, Origin, bool]
"""Kind of figure, origin, and whether it was modelled."""

SHARE = 0.8
"""Of the actual values, what a range is meant to hold: from the 10th to the 90th percentile."""

_Z = statistics.NormalDist().inv_cdf((1 + SHARE) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A figure of a run: forecast, and what it came to."""

    run: str
    figure: str
    """Its name in the forecast, for example `stage_s:2M`."""
    origin: Origin
    """Of the forecast: an assumed one says nothing about measured ones."""
    forecast: float
    actual: float
    modelled: bool = False
    """Of the forecast: a rate under load and a rate that follows from one latency err differently."""

    @property
    def log_ratio(self) -> float | None:
        """ln(actual / forecast); None where one of them is not above 0."""
        if self.forecast <= 0 or self.actual <= 0:
            return None
        return math.log(self.actual / self.forecast)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a forecast is to be multiplied with."""

    low: float
    centre: float
    high: float
    runs: int
    """How many runs it was learned from; with 0, the default."""

    def around(self, value: float) -> tuple[float, float]:
        """The range of a figure forecast as `value`."""
        return value * self.low, value * self.high

    def inverse(self) -> Calibrated:
        """For a figure that falls as the one that was reconciled rises: a rate beside a time."""
        return Calibrated(low=1 / self.high, centre=1 / self.centre, high=1 / self.low, runs=self.runs)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The record of a project's forecasts: log-ratios by kind, origin and whether modelled; one a run."""

    log_ratios: Mapping[RecordKey, tuple[float, ...]]

    @classmethod
    def of(cls, observed: Iterable[Observed]) -> Calibration:
        """From observations in any order; several figures of a kind in a run count once, by their median."""
        runs: dict[RecordKey, dict[str, list[float]]] = {}
        for one in observed:
            if one.log_ratio is not None:
                kind = runs.setdefault((kind_of(one.figure), one.origin, one.modelled), {})
                kind.setdefault(one.run, []).append(one.log_ratio)
        return cls(
            {
                kind: tuple(sorted(statistics.median(ratios) for ratios in by_run.values()))
                for kind, by_run in runs.items()
            }
        )

    def calibrated(
        self, figure_name: str, default_factor: float, *, origin: Origin, modelled: bool = False
    ) -> Calibrated:
        """The factors for a forecast.

        Args:
            figure_name: in the forecast; those of a kind (`stage_s:2M`, `stage_s:1M`) share their record.
            default_factor: that the figure may be wrong by, up or down, where nothing is known; at least 1.
            origin: of the forecast.
            modelled: of the forecast.

        >>> Calibration({}).calibrated("run_usd", 2.0, origin=Origin.ASSUMED).high
        2.0
        """
        ratios = self.log_ratios.get((kind_of(figure_name), origin, modelled), ())
        count = len(ratios)
        if not count:
            return Calibrated(low=1 / default_factor, centre=1.0, high=default_factor, runs=0)
        centre = count / (count + PRIOR_RUNS) * statistics.median(ratios)
        usual = math.log(default_factor) / _Z
        squares = PRIOR_RUNS * usual**2 + math.fsum((ratio - centre) ** 2 for ratio in ratios)
        half = _Z * math.sqrt(squares / (PRIOR_RUNS + count))
        return Calibrated(
            low=math.exp(centre - half), centre=math.exp(centre), high=math.exp(centre + half), runs=count
        )


def kind_of(figure_name: str) -> str:
    """What a figure's name says without the stage: `stage_s` of `stage_s:2M`."""
    return figure_name.partition(":")[0]


def calibrated_ranges(
    figures: Mapping[str, Figure], calibration: Calibration, default_factors: Mapping[Origin, float]
) -> dict[str, tuple[float, float]]:
    """Ranges of a plan's input figures, from the forecasts that follow from them; only what was reconciled.

    Args:
        figures: of `PlanInputs`, by name.
        calibration: the record.
        default_factors: that a figure may be wrong by, by origin; 1 for an origin that is not named.
    """
    found = {}
    for name, figure in figures.items():
        forecast = _FORECAST_OF.get(kind_of(name))
        if forecast is None:
            continue
        factor = default_factors.get(figure.origin, 1.0)
        known = calibration.calibrated(
            forecast.figure, factor, origin=figure.origin, modelled=figure.modelled
        )
        if known.runs:
            found[name] = (known.inverse() if forecast.inverse else known).around(figure.value)
    return found


@dataclass(frozen=True, slots=True)
class _Forecast:
    figure: str
    inverse: bool = False


_FORECAST_OF = {
    "teacher_texts_per_s": _Forecast("labelling_s", inverse=True),
    "step_s": _Forecast("stage_s"),
    "student_rps": _Forecast("student_rps"),
    "requests_per_day": _Forecast("requests_per_day"),
}
"""Input figures, and the reconciled figure that each is proportional to."""
