"""Whether a teacher's probabilities can be believed, and the temperature that mends over-confidence.

Measured on labelled inputs outside the holdout (Guo et al. 2017, "On calibration of modern neural networks").
Only over-confidence is corrected. Under-confidence is what a teacher shows on inputs that it was trained on,
and nobody can tell the two apart: sharpening its answers could then make them worse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.teacher.protocol import Probabilities

LEAST_ROWS = 100
"""Fewer labelled inputs tell too little: the standard error of an accuracy is then up to 5 points."""
MOST_ROWS = 20_000
"""More change a temperature's third digit only."""
BINS = 15
"""As Guo et al. 2017; of equal mass, so that none is empty (Nixon et al. 2019)."""
_SIGNIFICANT = 10.83
"""Quantile 0.999 of chi-squared with one degree of freedom (Wilks 1938)."""
_POOR = 0.03
"""Expected calibration error that is worth a correction: 3 points between confidence and accuracy."""
_SMALLEST = 1e-12
_MOST_T = 20.0
"""A teacher that would need more is wrong about nearly everything, and no temperature mends that: at this one
its answers would be nearly uniform, and a student would learn nothing from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How well confidence meets accuracy, before any correction and with the fitted temperature."""

    rows: int
    """Labelled inputs outside the holdout that it was measured on."""
    temperature: float
    """The T at which p^(1/T), normalized, has the least negative log-likelihood; above 1: over-confident."""
    error: float
    """Expected calibration error of the answers as given: mean |confidence - accuracy| over equal bins."""
    error_fitted: float
    """The same at `temperature`."""
    brier: float
    """Mean squared distance between the answer and the label's one-hot vector, from 0 to 2 (Brier 1950)."""
    nll: float
    """Mean negative log-likelihood of the label, in nats."""
    nll_fitted: float
    """The same at `temperature`."""
    corrected: bool
    """Whether reading applies `temperature`; see `measure_calibration`."""

    @property
    def applied(self) -> float:
        """The temperature at which answers are read: 1 when nothing is corrected."""
        return self.temperature if self.corrected else 1.0


def measure_calibration(probabilities: Probabilities, hard: npt.NDArray[np.integer]) -> Calibration | None:
    """Measure on the labelled rows; None when there are fewer than `LEAST_ROWS`.

    It is corrected when all three hold: the temperature is above 1, and not the largest that is tried; the
    likelihood-ratio test against a temperature of 1 rejects at 0.001; and the expected calibration error is
    at least 0.03 and falls.

    Args:
        probabilities: float32 [n, labels], as the teacher gave them.
        hard: integers [n], -1 where no label is known.
    """
    rows = np.flatnonzero(np.asarray(hard) >= 0)[:MOST_ROWS]
    if len(rows) < LEAST_ROWS:
        return None
    given, truth = np.asarray(probabilities)[rows], np.asarray(hard)[rows]
    temperature = fit_temperature(given, truth)
    fitted = at_temperature(given, temperature)
    error, error_fitted = expected_error(given, truth), expected_error(fitted, truth)
    nll, nll_fitted = _nll(given, truth), _nll(fitted, truth)
    sensible = 1 < temperature < 0.99 * _MOST_T
    significant = 2 * len(rows) * (nll - nll_fitted) > _SIGNIFICANT
    return Calibration(
        rows=len(rows),
        temperature=temperature,
        error=error,
        error_fitted=error_fitted,
        brier=float(np.square(given - np.eye(given.shape[1])[truth]).sum(axis=1).mean()),
        nll=nll,
        nll_fitted=nll_fitted,
        corrected=sensible and significant and error >= _POOR and error_fitted < error,
    )


def at_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """p^(1/T), normalized, float32 [n, labels]: the most probable label stays the same.

    >>> at_temperature(np.array([[0.8, 0.2]], np.float32), 2.0).round(3).tolist()
    [[0.6669999957084656, 0.3330000042915344]]
    """
    if temperature == 1.0 or not len(probabilities):
        return probabilities
    powers = np.power(probabilities.astype(np.float64), 1.0 / temperature)
    softened: Probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return softened


def fit_temperature(probabilities: Probabilities, truth: npt.NDArray[np.integer]) -> float:
    """The T from 1/20 to 20 with the least negative log-likelihood of `truth`, integers [n].

    Minus the likelihood is convex in 1/T: its slope, the mean over rows of E[log p] at T less log p of the
    label, rises with 1/T, and its zero is bisected.
    """
    logs = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))
    wanted = logs[np.arange(len(truth)), truth].mean()
    low, high = 1.0 / _MOST_T, _MOST_T
    for _ in range(40):
        middle = (low * high) ** 0.5
        weights = np.exp(middle * (logs - logs.max(axis=1, keepdims=True)))
        slope = ((weights * logs).sum(axis=1) / weights.sum(axis=1)).mean() - wanted
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(1.0 / (low * high) ** 0.5)


def expected_error(probabilities: Probabilities, truth: npt.NDArray[np.integer]) -> float:
    """Expected calibration error of the most probable label, over `BINS` bins of equal mass."""
    confidence = probabilities.max(axis=1)
    order = np.argsort(confidence, kind="stable")
    gaps = (confidence - (probabilities.argmax(axis=1) == truth))[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, BINS)) / len(gaps))


def _nll(probabilities: Probabilities, truth: npt.NDArray[np.integer]) -> float:
    named = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.maximum(named, _SMALLEST)).mean())
