"""Audits: served requests that the teacher answered again, in the order in which they were answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coffey.core.eventlog import FORMAT, EventLog
from coffey.core.files import write_atomic
from coffey.core.ids import canonical_json, digest_json, input_key
from coffey.core.records import Audit, TrafficRecord
from coffey.traffic.redaction import DROPPED, is_redacted

Answer = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Texts to the teacher's probabilities [n, labels]; what was asked before is not asked again."""

_NAMES = tuple(field.name for field in fields(Audit))


class AuditLog:
    """Audits of all models on a local folder: batches in numbered files, of which only texts ever go."""

    def __init__(self, folder: Path) -> None:
        """Use `folder` (usually `audits` of the store)."""
        self._log = EventLog(folder)
        self._audits: list[Audit] = []
        self._read = 0

    def all(self) -> Sequence[Audit]:
        """Every audit, oldest first."""
        for event in self._log.read(self._read):
            self._audits.extend(_audit(row) for row in event.body["audits"])
            self._read = event.number
        return self._audits

    def of(self, model: str) -> list[Audit]:
        """The audits of one artifact, by digest."""
        return [audit for audit in self.all() if audit.model == model]

    def append(self, audits: Sequence[Audit]) -> bool:
        """Add a batch after all that were read; False when another process added one first."""
        self.all()
        return self._log.append(self._read + 1, {"audits": [asdict(audit) for audit in audits]})

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
                    _replace_event(self._log, event.number, {"audits": [asdict(one) for one in kept]})
            self._audits, self._read = [], 0
        return due


def collect_audits(
    traffic: Sequence[TrafficRecord],
    log: AuditLog,
    *,
    answer: Answer,
    labels: Sequence[str],
    teacher: str,
    redact: Callable[[str], str] = str,
) -> int:
    """Let the teacher answer the chosen requests that it has not answered yet; how many those were.

    What `redact` makes of their texts is kept of them afterwards.

    Killed anywhere and run again, nothing is asked or counted twice: answers are in the label store
    before the audits are written, and a request is known by its id.
    """
    known = {audit.id for audit in log.all()}
    pending = [record for record in traffic if record.audit and record.id not in known]
    if not pending:
        return 0
    said = answer([record.text for record in pending]).argmax(axis=1)
    judged = [
        _judged(record, labels[int(index)], teacher) for record, index in zip(pending, said, strict=True)
    ]
    added = log.append([replace(audit, text=redact(audit.text)) for audit in judged])
    return len(pending) if added else 0


def _judged(record: TrafficRecord, teacher_label: str, teacher: str) -> Audit:
    return Audit(
        id=record.id,
        unix_s=record.unix_s,
        model=record.model,
        key=input_key(record.text),
        text=record.text,
        student_label=record.label,
        teacher_label=teacher_label,
        agree=record.label == teacher_label,
        confidence=record.confidence,
        probability=record.audit_probability,
        teacher=teacher,
    )


def _replace_event(log: EventLog, number: int, body: dict[str, Any]) -> None:
    """Another body for an event that is there: the one change that the log of audits allows itself."""
    envelope = {"format": FORMAT, "number": number, "body": body, "sha256": digest_json(body)}
    write_atomic(log.path(number), canonical_json(envelope) + b"\n")


def _audit(row: dict[str, Any]) -> Audit:
    return Audit(**{name: row[name] for name in _NAMES})
