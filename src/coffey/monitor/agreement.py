"""Agreement of student and teacher against the contract: a fold over the audits of one champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from coffey.core.records import Audit, Contract, Interval
from coffey.monitor.estimates import Estimates
from coffey.stats.aiming import Aim
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.e_detector import EDetector

Vector = npt.NDArray[np.float64]

WINDOW = 200
"""Audits that one point of the plot looks back over."""

RECENT_AUDITS = 1000
"""Audits that their rate is taken over."""

POINTS = 240
"""Points of the plot, at most about this many."""

_AT_ONCE = 10_000
"""Audits that are folded together: what bounds the memory that this takes."""

_EDGE = 1e-3
"""A promise this near to 0 or 1 is tested as this: nothing can be bet on certainty."""


@dataclass(frozen=True, slots=True)
class AgreementPoint:
    """One point of the plot over time."""

    audits: int
    """Audits up to and with this point."""
    unix_s: float
    agreement: Interval
    """Over the last `WINDOW` audits up to here."""
    log_evidence: float


@dataclass(frozen=True, slots=True)
class Change:
    """Where agreement is estimated to have changed last, and what it has been since."""

    index: int
    """Index of the first audit after the change."""
    id: str
    unix_s: float
    audits: int
    """Audits since then."""
    agreement: Interval
    """Weighted agreement since then. The start was chosen by the same audits, so small drops look larger."""
    drop: float
    """The promised value minus the agreement since then."""


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """What the audits of one champion say about its contract."""

    audits: int
    overall: Interval
    """Weighted agreement over all audits; the interval holds at every moment at once."""
    promised: Interval
    floor: float
    """What is tested: agreement is at least this, the lower bound of the promise."""
    average_run_length: float
    """Audits between false alarms while the promise is kept, at least."""
    log_evidence: float
    """Natural logarithm of the evidence now."""
    log_threshold: float
    alarm: bool
    """Whether the evidence ever reached the threshold since promotion."""
    alarm_index: int | None
    """Index of the audit at which it did first."""
    alarm_unix_s: float | None
    change: Change | None
    """None when nothing at present speaks for a change."""
    series: tuple[AgreementPoint, ...]
    aimed: int = 0
    """Audits that were drawn by confidence, and taken together with the requests between them."""
    audits_per_day: float | None = None
    """Over the last `RECENT_AUDITS`; None where they span less than a day."""


def watch_agreement(
    audits: Sequence[Audit],
    contract: Contract,
    *,
    average_run_length: float,
    least_probability: float | None = None,
    bins: ConfidenceBins | None = None,
) -> AgreementReport:
    """Judge the audits of one champion, in the order in which the requests were served.

    The null hypothesis is that agreement over all requests is at least `contract.agreement.low`: the
    measurement error of the promise itself cannot raise alarms. The alarm is `EDetector`'s. After an alarm
    the evidence goes on from where it is; only a promotion starts a new fold.

    Args:
        audits: each request once, since the promotion.
        contract: the champion's promise.
        average_run_length: audits a day times the days between false alarms that are tolerated.
        least_probability: the least probability with which any request may be audited (p_min of `EDetector`);
            the least among `audits` when absent, which is right where probabilities are fixed in advance.
        bins: of the champion, by which its audits were aimed; None where they were not.
    """
    weights = audit_weights(audits, least_probability)
    floor = min(max(contract.agreement.low, _EDGE), 1 - _EDGE)
    aimed = sum(audit.passed is not None for audit in audits)
    aim = Aim.of(bins, floor) if bins is not None and aimed else None
    detector = EDetector(
        floor,
        average_run_length=average_run_length,
        spread=aim.spread if aim else None,
        reach=aim.reach if aim else None,
    )
    estimates = Estimates.of(audits, weights, bins if aim else None)
    evidence = _fold(detector, estimates, aim)
    at = detector.alarm_at
    return AgreementReport(
        audits=len(audits),
        overall=estimates.overall(),
        promised=contract.agreement,
        floor=floor,
        average_run_length=average_run_length,
        log_evidence=detector.log_evidence,
        log_threshold=detector.log_threshold,
        alarm=detector.alarm,
        alarm_index=at,
        alarm_unix_s=None if at is None else audits[at].unix_s,
        change=_change(audits, estimates, start=detector.change, promised=contract.agreement.value),
        series=_series(audits, estimates, evidence),
        aimed=aimed if aim else 0,
        audits_per_day=_per_day(audits[-RECENT_AUDITS:]),
    )


def _fold(detector: EDetector, estimates: Estimates, aim: Aim | None) -> Vector:
    """Log evidence after each audit [n]; where the requests before it were counted, with those."""
    gains = estimates.weights * (detector.mean - estimates.agree)
    passed = counts = np.zeros((len(gains), 0))
    active, counted = estimates.active, estimates.counted
    if aim is not None and active is not None:
        gains[counted] = aim.audited(
            active.score, active.index, rate=active.rate, probability=active.probability
        )
        passed, counts = np.zeros((2, len(gains), len(aim.control)))
        passed[counted], counts[counted] = aim.passed(active.rate), active.passed
    parts = [
        detector.take_all(gains[start:stop], passed[start:stop], counts[start:stop])
        for start, stop in pairwise([*range(0, len(gains), _AT_ONCE), len(gains)])
    ]
    return np.concatenate([np.zeros(0), *parts])


def _per_day(audits: Sequence[Audit]) -> float | None:
    """Audits a day; None for less than a day, of which no day follows: traffic has its hours."""
    days = (audits[-1].unix_s - audits[0].unix_s) / 86_400 if audits else 0.0
    return (len(audits) - 1) / days if days >= 1 else None


def audit_weights(audits: Sequence[Audit], least_probability: float | None = None) -> npt.NDArray[np.float64]:
    """p_min / p for each audit [n]: proportional to the requests that it stands for, at most 1.

    Raises:
        ValueError: a probability is not above 0, or is below `least_probability`.
    """
    chances = np.array([audit.probability for audit in audits], dtype=np.float64)
    if len(chances) == 0:
        return chances
    least = float(chances.min()) if least_probability is None else least_probability
    if not 0 < least <= chances.min():
        raise ValueError(f"probability {float(chances.min())!r}: expected at least {least!r}, and above 0")
    return least / chances


def _change(audits: Sequence[Audit], estimates: Estimates, *, start: int, promised: float) -> Change | None:
    if start >= len(audits):
        return None
    since = estimates.between(start, len(audits))
    return Change(
        index=start,
        id=audits[start].id,
        unix_s=audits[start].unix_s,
        audits=len(audits) - start,
        agreement=since,
        drop=promised - since.value,
    )


def _series(audits: Sequence[Audit], estimates: Estimates, evidence: Vector) -> tuple[AgreementPoint, ...]:
    """Evenly spaced points that end at the last audit."""
    n = len(audits)
    step = max(1, n // POINTS)
    ends = range(n - (n - 1) // step * step, n + 1, step) if n else ()
    return tuple(
        AgreementPoint(
            audits=end,
            unix_s=audits[end - 1].unix_s,
            agreement=estimates.between(max(0, end - WINDOW), end),
            log_evidence=float(evidence[end - 1]),
        )
        for end in ends
    )
