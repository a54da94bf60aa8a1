"""How the inputs moved: features, confidence, length, unknown tokens and the mix of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coffey.stats.shift import Shift, holm, shift_of_labels, shift_of_numbers, shift_of_vectors

LEAST = 20
"""Requests a sample must have before anything is measured."""

SIGNIFICANT = 0.01
"""Adjusted p-value at which a measure counts as moved: one look in a hundred by chance."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the student saw and said over some requests; one row a request."""

    features: npt.NDArray[np.floating]
    """The student's pooled vectors [n, width]."""
    confidence: npt.NDArray[np.floating]
    """Probability of the label that was given [n]."""
    length: npt.NDArray[np.floating] | npt.NDArray[np.integer]
    """Tokens or words of each input [n]."""
    unknown_share: npt.NDArray[np.floating]
    """Share of unknown tokens of each input [n]."""
    labels: Sequence[str]
    """The student's labels [n]."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Measure:
    """How one thing moved."""

    name: str
    """`features`, `confidence`, `length`, `unknown_share` or `labels`."""
    shift: Shift
    adjusted_p: float
    """Corrected for the number of measures (Holm)."""
    moved: bool
    reference: float | None
    """Mean of the numbers in the reference; the share of the label that moved most; None for features."""
    recent: float | None
    text: str
    """What moved and how far, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class DriftReport:
    """How recent requests differ from the reference. It explains; the alarm is raised by agreement alone."""

    reference: int
    recent: int
    measures: tuple[Measure, ...]
    """Empty when a sample is too small."""
    drifted: bool
    sentence: str
    """What moved most, with numbers."""


def measure_drift(reference: Sample, recent: Sample, *, seed: int = 17) -> DriftReport:
    """Compare two samples of requests; five tests, each with an effect size, corrected together (Holm).

    The p-values hold for one look and are not to be watched for an alarm. Which measure moved most is judged
    by effect size among those that moved. `seed` drives permutations and thinning.
    """
    sizes = len(reference), len(recent)
    if min(sizes) < LEAST:
        sentence = (
            f"Drift was not measured: {sizes[0]} reference and {sizes[1]} recent requests, "
            f"and at least {LEAST} of each are needed."
        )
        return DriftReport(*sizes, (), False, sentence)
    found = [
        _features(reference, recent, seed),
        _numbers("confidence", "mean confidence", reference.confidence, recent.confidence),
        _numbers("length", "mean input length", reference.length, recent.length),
        _numbers("unknown_share", "share of unknown tokens", reference.unknown_share, recent.unknown_share),
        _labels(reference.labels, recent.labels, seed),
    ]
    adjusted = holm([measure.shift.p_value for measure in found])
    measures = tuple(
        replace(measure, adjusted_p=p, moved=p <= SIGNIFICANT)
        for measure, p in zip(found, adjusted, strict=True)
    )
    moved = [measure for measure in measures if measure.moved]
    return DriftReport(*sizes, measures, bool(moved), _sentence(moved, measures, sizes))


def _features(reference: Sample, recent: Sample, seed: int) -> Measure:
    shift = shift_of_vectors(reference.features, recent.features, seed=seed)
    text = f"the student's features moved (MMD {shift.effect:.3f})"
    return Measure("features", shift, shift.p_value, False, None, None, text)


def _numbers(
    name: str,
    words: str,
    reference: npt.NDArray[np.floating] | npt.NDArray[np.integer],
    recent: npt.NDArray[np.floating] | npt.NDArray[np.integer],
) -> Measure:
    before, after = float(np.mean(reference)), float(np.mean(recent))
    shift = shift_of_numbers(np.asarray(reference, np.float64), np.asarray(recent, np.float64))
    text = f"{words} went from {before:.3g} to {after:.3g} (KS distance {shift.effect:.2f})"
    return Measure(name, shift, shift.p_value, False, before, after, text)


def _labels(reference: Sequence[str], recent: Sequence[str], seed: int) -> Measure:
    shift = shift_of_labels(reference, recent, seed=seed)
    before, after = Counter(reference), Counter(recent)
    change = {
        name: after[name] / len(recent) - before[name] / len(reference) for name in sorted({*before, *after})
    }
    most = max(change, key=lambda name: abs(change[name]))
    old, new = before[most] / len(reference), after[most] / len(recent)
    text = (
        f"the mix of labels moved, {most!r} most, from {old:.1%} to {new:.1%} "
        f"(Jensen-Shannon distance {shift.effect:.2f})"
    )
    return Measure("labels", shift, shift.p_value, False, old, new, text)


def _sentence(moved: Sequence[Measure], measures: Sequence[Measure], sizes: tuple[int, int]) -> str:
    compared = f"between {sizes[0]} reference and {sizes[1]} recent requests"
    if not moved:
        least = min(measures, key=lambda measure: measure.adjusted_p)
        return f"No drift {compared}: the least adjusted p is {least.adjusted_p:.2f} ({least.name})."
    most = max(moved, key=lambda measure: measure.shift.effect)
    names = ", ".join(measure.name for measure in moved if measure is not most)
    also = f" Also moved: {names}." if names else ""
    p = "< 0.001" if most.adjusted_p < 0.001 else f"= {most.adjusted_p:.3f}"
    return f"Inputs drifted {compared}: {most.text}, adjusted p {p}.{also}"
