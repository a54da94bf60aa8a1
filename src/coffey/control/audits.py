"""Audits: served requests that the teacher answered again, in the order in which they were answered.

A chosen request that the teacher gives no usable answer to, and is told to skip
(`teacher.asking.malformed = "skip"`), is noted beside the audits and never asked about again. It is treated
as missing: no agreement is guessed for it, and its weight is nobody's. Every estimate stays one of the
requests that the teacher can label, weighted by their own probabilities, and is unbiased for those. Of all
requests it is as far off, at most, as the share of the skipped, which is why a tick counts them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coffey.core.eventlog import EventLog
from coffey.core.ids import input_key
from coffey.core.records import Audit, TrafficRecord
from coffey.monitor.baseline import Places
from coffey.stats.scoring import ONE_LABEL, Scoring
from coffey.teacher.known import KnownAnswers
from coffey.traffic.redaction import DROPPED, is_redacted

Answer = Callable[[Sequence[str]], KnownAnswers]
"""Texts to the teacher's answers; what was asked before is not asked again."""

Passed = Callable[[Sequence[TrafficRecord]], npt.NDArray[np.float64]]
"""Chosen requests, in their order, to `traffic.passed.sum_rates` of the stretches that end with each."""

Place = Callable[[Sequence[str]], Places]
"""Texts to where they belong among what the promise was measured on."""

_LATER = ("score", "rate", "passed", "tokens", "cluster")
_NAMES = tuple(field.name for field in fields(Audit) if field.name not in _LATER)
"""What every audit has; those of earlier versions have nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlabelled:
    """A request that was chosen for audit, and that the teacher gave no usable answer to."""

    id: str
    model: str
    """Digest of the artifact that served it."""
    unix_s: float
    """When it was served."""
    teacher: str
    """Fingerprint of who was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is noted beside the teacher's answers, while the traffic and the texts are there."""

    passed: Passed | None = None
    """For audits that were drawn by confidence: the requests since the chosen one before."""
    place: Place | None = None
    """Where a text belongs."""


NOTHING_BESIDE = Beside()


@dataclass(frozen=True, slots=True)
class Collected:
    """What asking the teacher about chosen requests came to."""

    audited: int = 0
    skipped: int = 0
    """Requests without a usable answer."""


class AuditLog:
    """Audits of all models on a local folder: batches in numbered files, of which only texts ever go."""

    def __init__(self, folder: Path) -> None:
        """Use `folder` (usually `audits` of the store)."""
        self._log = EventLog(folder)
        self._audits: list[Audit] = []
        self._unlabelled: list[Unlabelled] = []
        self._read = 0

    def all(self) -> Sequence[Audit]:
        """Every audit, oldest first."""
        for event in self._log.read(self._read):
            self._audits.extend(_audit(row) for row in event.body["audits"])
            self._unlabelled.extend(_unlabelled(row) for row in event.body.get("unlabelled", []))
            self._read = event.number
        return self._audits

    def unlabelled(self) -> Sequence[Unlabelled]:
        """Every chosen request that the teacher could not label, oldest first."""
        self.all()
        return self._unlabelled

    def settled(self) -> frozenset[str]:
        """Ids of the requests that need not be asked about any more: audited, or without an answer."""
        return frozenset([one.id for one in self.all()] + [one.id for one in self.unlabelled()])

    def of(self, model: str) -> list[Audit]:
        """The audits of one artifact, by digest."""
        return [audit for audit in self.all() if audit.model == model]

    def asked_until(self, model: str) -> float:
        """When the last request of one artifact that needs not be asked about was served; 0 without any."""
        audited = [audit.unix_s for audit in self.of(model)]
        skipped = [one.unix_s for one in self.unlabelled() if one.model == model]
        return max([*audited, *skipped], default=0.0)

    def append(self, audits: Sequence[Audit], unlabelled: Sequence[Unlabelled] = ()) -> bool:
        """Add a batch after all that were read; False when another process added one first."""
        self.all()
        body = {"audits": list(map(asdict, audits)), "unlabelled": list(map(asdict, unlabelled))}
        return self._log.append(self._read + 1, body)

    def forget_texts(self, before_unix_s: float) -> int:
        """Drop the texts of requests served before a moment; how many. Nothing else of an audit changes.

        Killed anywhere and run again it ends the same: each file is replaced as a whole.
        """

        def is_due(audit: Audit) -> bool:
            return audit.unix_s < before_unix_s and not is_redacted(audit.text)

        due = sum(map(is_due, self.all()))
        if due:
            for event in self._log.read():
                audits = [_audit(row) for row in event.body["audits"]]
                if any(map(is_due, audits)):
                    kept = [replace(one, text=DROPPED) if is_due(one) else one for one in audits]
                    self._log.replace(event.number, event.body | {"audits": list(map(asdict, kept))})
            self._audits, self._unlabelled, self._read = [], [], 0
        return due


def collect_audits(
    traffic: Sequence[TrafficRecord],
    log: AuditLog,
    *,
    answer: Answer,
    labels: Sequence[str],
    teacher: str,
    redact: Callable[[str], str] = str,
    scoring: Scoring = ONE_LABEL,
    beside: Beside = NOTHING_BESIDE,
) -> Collected:
    """Let the teacher answer the chosen requests that it has not answered yet; how many those were.

    What `redact` makes of their texts is kept of them afterwards, and what `beside` finds. Requests before
    one that the teacher cannot label are left out with it, so that the rest stand in proportion.

    Killed anywhere and run again, nothing is asked or counted twice: answers are in the label store
    before the audits are written, and a request is known by its id.
    """
    settled = log.settled()
    pending = [record for record in traffic if record.audit and record.id not in settled]
    if not pending:
        return Collected()
    said = answer([record.text for record in pending])
    before = _passed_before(pending, beside.passed)
    known = list(itertools.compress(pending, said.known))
    judged = [
        replace(_judged(record, label, teacher, scoring), passed=counts, tokens=tokens, cluster=cluster)
        for record, counts, label, (tokens, cluster) in zip(
            known,
            itertools.compress(before, said.known),
            scoring.names(scoring.answers(said.probabilities), labels),
            _placed([record.text for record in known], beside.place),
            strict=True,
        )
    ]
    others = list(itertools.compress(pending, ~said.known))
    added = log.append(
        [replace(audit, text=redact(audit.text)) for audit in judged],
        [Unlabelled(id=one.id, model=one.model, unix_s=one.unix_s, teacher=teacher) for one in others],
    )
    return Collected(len(judged), len(others)) if added else Collected()


def _passed_before(
    pending: Sequence[TrafficRecord], passed: Passed | None
) -> Sequence[tuple[float, ...] | None]:
    """For each chosen request that was drawn by confidence, the requests since the one before it."""
    if passed is None or all(record.audit_rate is None for record in pending):
        return [None] * len(pending)
    return [
        tuple((sums / record.audit_rate).tolist()) if record.audit_rate else None
        for record, sums in zip(pending, passed(pending), strict=True)
    ]


def _placed(texts: Sequence[str], place: Place | None) -> Sequence[tuple[int | None, int | None]]:
    """Tokens and cluster of each text."""
    if place is None or not texts:
        return [(None, None)] * len(texts)
    places = place(texts)
    return list(zip(places.tokens.tolist(), places.cluster.tolist(), strict=True))


def _judged(record: TrafficRecord, teacher_label: str, teacher: str, scoring: Scoring) -> Audit:
    score = scoring.score_names(record.label, teacher_label)
    return Audit(
        id=record.id,
        unix_s=record.unix_s,
        model=record.model,
        key=input_key(record.text),
        text=record.text,
        student_label=record.label,
        teacher_label=teacher_label,
        agree=score == 1.0,
        confidence=record.confidence,
        probability=record.audit_probability,
        teacher=teacher,
        score=score if scoring.independent else None,
        rate=record.audit_rate,
    )


def _audit(row: dict[str, Any]) -> Audit:
    counts = row.get("passed")
    return Audit(
        **{name: row[name] for name in _NAMES},
        score=row.get("score"),
        rate=row.get("rate"),
        passed=None if counts is None else tuple(counts),
        tokens=row.get("tokens"),
        cluster=row.get("cluster"),
    )


def _unlabelled(row: dict[str, Any]) -> Unlabelled:
    return Unlabelled(**{field.name: row[field.name] for field in fields(Unlabelled)})
