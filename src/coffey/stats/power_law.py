"""How error falls with the rows trained on: a saturating power law, and what a few points say of far out.

The law is `error(n) = floor + scale * n ** -exponent` (Cortes, Jackel, Solla, Vapnik and Denker 1993,
"Learning curves: asymptotic values and rate of convergence"; measured over six orders of magnitude by
Hestness et al. 2017, "Deep learning scaling is predictable, empirically", and Rosenfeld et al. 2020, "A
constructive prediction of the generalization error across scales").

With few rows a student answers by chance, and the error bends away from the law. Where the error of chance
is given, the law is seen through the envelope of Rosenfeld et al. (theirs fits the place of the transition;
here it is where law and chance meet): `error = law / sqrt(1 + (law / chance)^2)`, which is the law where it
is small, and chance where it is large.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from coffey.core.records import Interval

Vector = npt.NDArray[np.float64]

STEEPEST = 1.0
"""Largest exponent: 1 is the best rate of statistical learning theory without noise (Hestness et al. 2017
measured 0.07 to 0.35; small data sets, where a curve is steepest, come near 1)."""

_CELLS = 48
"""Exponents, and shares of the floor, that are weighed: 48 x 48 laws. With 160 x 160, 41 steps and none
dropped, no bound of 25 random cases moved by more than 1 % of its interval's width."""

_NEAR_CHANCE = 0.98
"""Share of the error of chance from which points say nothing: their variance is 16,000 times as large."""

_NEGLIGIBLE = 1e-4
"""Laws with less than this share of the best one's likelihood are dropped."""

LEVELS = tuple((step + 0.5) / 15 for step in range(15))
"""The middles of 15 slices of equal probability."""

_STEPS = tuple(NormalDist().inv_cdf(level) for level in LEVELS)
"""A standard normal as 15 values of equal weight."""


@dataclass(frozen=True, slots=True)
class Law:
    """One saturating power law.

    >>> Law(scale=2.0, exponent=0.5, floor=0.1).error(400)
    0.2
    """

    scale: float
    exponent: float
    floor: float
    """The error that no amount of data removes."""
    chance: float | None = None
    """The error of an answer that knows nothing; None where the law has no upper end."""

    def error(self, rows: float) -> float:
        """The error after training on `rows` rows."""
        return float(_bend(self.floor + self.scale * math.pow(rows, -self.exponent), self.chance))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentPrior:
    """What is known of the exponent before there is a point: a normal law cut to (0, `STEEPEST`].

    The default knows nothing: every exponent is as likely.
    """

    mean: float = STEEPEST / 2
    sd: float = math.inf

    def weigh(self, exponents: Vector) -> Vector:
        """Relative probability of each exponent."""
        weights: Vector = np.exp(-0.5 * ((exponents - self.mean) / self.sd) ** 2)
        return weights


FLAT = ExponentPrior()


@dataclass(frozen=True, slots=True, eq=False)
class Extrapolation:
    """Many laws with their probabilities, given the points; each array has one entry a law."""

    reference: float
    """Rows at which `level` is the error."""
    exponent: Vector
    saturation: Vector
    """Floor over level: 0 for a law that falls to 0, 1 for one that falls no further."""
    level: Vector
    """Error at the reference, given exponent and saturation."""
    level_sd: Vector
    weight: Vector
    """Sums to 1."""
    noise: float
    """Standard deviation of one training's error, as a share of the error."""
    chance: float | None

    def error(self, rows: float, *, confidence: float = 0.8, sampling: float = 0.0) -> Interval:
        """The error that one training on `rows` rows will show: its median and a central interval.

        Args:
            rows: rows trained on.
            confidence: probability that the interval holds the error.
            sampling: variance that the measurement adds, as a multiple of the error: (1 - error) / m for a
                share that is counted on m examples; 0 for the error itself.
        """
        tail = (1 - confidence) / 2
        low, middle, high = self.quantiles(rows, (tail, 0.5, 1 - tail), sampling=sampling)
        return Interval(middle, low, high, confidence, "power-law")

    def quantiles(self, rows: float, levels: Sequence[float], *, sampling: float = 0.0) -> tuple[float, ...]:
        """Quantiles of the error that one training on `rows` rows will show.

        Args:
            rows: rows trained on.
            levels: in (0, 1).
            sampling: as in `error`.
        """
        fall = self.saturation + (1 - self.saturation) * (rows / self.reference) ** -self.exponent
        centre = self.level * fall
        spread = np.sqrt(
            (self.level_sd * fall) ** 2 + (self.noise * centre) ** 2 + sampling * np.maximum(centre, 0.0)
        )
        values = np.maximum(centre[:, None] + spread[:, None] * np.asarray(_STEPS), 0.0).ravel()
        weights = np.repeat(self.weight, len(_STEPS))
        return weighted_quantiles(_bend(values, self.chance), weights, levels)

    def exponent_estimate(self) -> tuple[float, float]:
        """Mean and standard deviation of the exponent."""
        mean = float(self.weight @ self.exponent)
        return mean, math.sqrt(float(self.weight @ (self.exponent - mean) ** 2))


def fit_law(
    rows: Sequence[float],
    errors: Sequence[float],
    covariance: npt.ArrayLike,
    *,
    chance: float | None = None,
) -> Law:
    """The law with the least weighted squares, within 0 ≤ floor, 0 ≤ scale and 0 < exponent ≤ `STEEPEST`.

    For a given exponent the rest is a linear problem of two unknowns; exponents are searched on a grid that
    is drawn finer four times.

    Args:
        rows: of at least three different sizes.
        errors: one for each.
        covariance: of the errors, [points, points]; or their variances, [points].
        chance: the error of an answer that knows nothing, above 0.

    Raises:
        ValueError: fewer than three sizes, or arguments that do not fit each other.
    """
    size, seen, matrix = _checked(rows, errors, covariance)
    error, slope = _unbend(seen, chance)
    precision = np.linalg.inv(matrix * np.outer(slope, slope)).astype(np.float64)
    if len(set(rows)) < 3:
        raise ValueError(f"{len(set(rows))} different size(s): three unknowns need at least 3")
    low, high = 0.0, STEEPEST
    for _ in range(4):
        exponents = np.linspace(low, high, 101)[int(low == 0.0) :]
        squares, scales, floors = _linear(size, error, precision, exponents)
        best = int(squares.argmin())
        step = (high - low) / 100
        low, high = max(0.0, exponents[best] - step), min(STEEPEST, exponents[best] + step)
    reference = float(size.max())
    exponent = float(exponents[best])
    return Law(float(scales[best]) * reference**exponent, exponent, float(floors[best]), chance)


def extrapolate(
    rows: Sequence[float],
    errors: Sequence[float],
    covariance: npt.ArrayLike,
    *,
    noise: float,
    prior: ExponentPrior = FLAT,
    chance: float | None = None,
) -> Extrapolation:
    """All laws that the points allow, weighed by their likelihood and by the prior.

    Laws are written as error at the largest size, exponent, and share of that error which is floor. The
    first has a flat prior and is integrated out in closed form (given the others the problem is linear and
    Gaussian), the share is uniform in (0, 1), the exponent follows `prior`. Where even the best law misses
    the points by more than their covariance allows, the covariance is widened by that factor (Birge 1932).

    Args:
        rows: rows of each training, at least one.
        errors: measured after each.
        covariance: of the measurement, [points, points] (the same examples measure every student); or
            variances, [points].
        noise: standard deviation of one training's error, as a share of the error: two trainings that
            differ in nothing but chance do not end equal.
        prior: of the exponent.
        chance: the error of an answer that knows nothing, above 0.

    Raises:
        ValueError: arguments that do not fit each other.
    """
    size, seen, matrix = _checked(rows, errors, covariance)
    error, slope = _unbend(seen, chance)
    precision = np.linalg.inv((matrix + np.diag((noise * seen) ** 2)) * np.outer(slope, slope))
    middles = (np.arange(_CELLS) + 0.5) / _CELLS
    exponent, saturation = (axis.ravel() for axis in np.meshgrid(STEEPEST * middles, middles))
    shapes = saturation[:, None] + (1 - saturation[:, None]) * (size / size.max()) ** -exponent[:, None]
    information = np.einsum("ci,ij,cj->c", shapes, precision, shapes)
    level = np.maximum(shapes @ precision @ error / information, 0.0)
    missed = error - level[:, None] * shapes
    squares = np.einsum("ci,ij,cj->c", missed, precision, missed)
    widened = max(1.0, float(squares.min()) / max(1, len(size) - 3))
    weight = np.exp(-0.5 * (squares - squares.min()) / widened) * prior.weigh(exponent) / np.sqrt(information)
    likely = weight > _NEGLIGIBLE * weight.max()
    return Extrapolation(
        reference=float(size.max()),
        exponent=exponent[likely],
        saturation=saturation[likely],
        level=level[likely],
        level_sd=np.sqrt(widened / information[likely]),
        weight=weight[likely] / weight[likely].sum(),
        noise=noise,
        chance=chance,
    )


def _checked(
    rows: Sequence[float], errors: Sequence[float], covariance: npt.ArrayLike
) -> tuple[Vector, Vector, Vector]:
    size, error = np.asarray(rows, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    matrix = _matrix(covariance)
    if not len(size) or size.ndim != 1 or error.shape != size.shape or matrix.shape != (len(size),) * 2:
        raise ValueError(
            f"shapes {size.shape}, {error.shape} and {matrix.shape}: expected n rows, n errors and [n, n]"
        )
    if not (np.isfinite(error).all() and (error >= 0).all() and (size > 0).all()):
        raise ValueError(f"rows {rows!r} and errors {errors!r}: expected numbers above 0, and not below 0")
    return size, error, matrix


def _matrix(covariance: npt.ArrayLike) -> Vector:
    given: Vector = np.asarray(covariance, dtype=np.float64)
    return np.diag(given) if given.ndim == 1 else given


def _linear(
    size: Vector, error: Vector, precision: Vector, exponents: Vector
) -> tuple[Vector, Vector, Vector]:
    """Least squares over scale (of rows over the largest) and floor, both at least 0, for each exponent."""
    shape = (size / size.max()) ** -exponents[:, None]
    weighed = shape @ precision
    total, sloped, flat = float(precision.sum()), (weighed * shape).sum(1), weighed.sum(1)
    seen, level = weighed @ error, float((precision @ error).sum())
    determinant = np.maximum(sloped * total - flat**2, np.finfo(np.float64).eps * sloped * total)
    free_scale = (seen * total - flat * level) / determinant
    free_floor = (sloped * level - flat * seen) / determinant
    sinking, rising = free_floor < 0, free_scale < 0
    flat_only = np.full_like(free_floor, max(level / total, 0.0))
    scale: Vector = np.where(sinking, np.maximum(seen / sloped, 0.0), np.where(rising, 0.0, free_scale))
    floor: Vector = np.where(sinking, 0.0, np.where(rising, flat_only, free_floor))
    missed = error - scale[:, None] * shape - floor[:, None]
    return np.einsum("ci,ij,cj->c", missed, precision, missed), scale, floor


def _bend(law: Vector | float, chance: float | None) -> Vector:
    """What is seen of a law through the envelope."""
    value = np.asarray(law, dtype=np.float64)
    return value if chance is None else value / np.sqrt(1 + (value / chance) ** 2)


def _unbend(error: Vector, chance: float | None) -> tuple[Vector, Vector]:
    """The law under an error that was seen, and the derivative of the one by the other."""
    if chance is None:
        return error, np.ones_like(error)
    share = np.minimum(error / chance, _NEAR_CHANCE)
    left = 1 - share**2
    return share * chance / np.sqrt(left), left**-1.5


def weighted_quantiles(values: Vector, weights: Vector, levels: Sequence[float]) -> tuple[float, ...]:
    """The smallest value at which the weights reach each of `levels`, a share of their sum."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    places = np.minimum(np.searchsorted(reached, np.asarray(levels) * reached[-1]), len(values) - 1)
    return tuple(float(value) for value in values[order][places])
