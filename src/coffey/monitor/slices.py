"""Where student and teacher disagree: agreement by the teacher's label, with requests to look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coffey.core.records import Audit, Interval
from coffey.monitor.agreement import audit_weights
from coffey.stats.intervals import weighted_share

EXAMPLES = 3
"""Requests shown of a slice."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The audited requests that the teacher gave one label."""

    label: str
    """The teacher's."""
    audits: int
    agreement: Interval
    """Weighted by how many requests each audit stands for. Several slices are looked at: the widest gap of
    many is wider than the gap of one."""
    mistaken_for: str
    """The student's most frequent other answer."""
    examples: tuple[Audit, ...]
    """The latest requests on which the two disagree, latest first."""

    @property
    def missed(self) -> float:
        """About how many of its audits the two disagree on, which slices are ordered by."""
        return self.audits * (1.0 - self.agreement.value)


def slices(audits: Sequence[Audit], *, limit: int = 8) -> tuple[Slice, ...]:
    """The slices with the most disagreement, at most `limit`; those without any are left out.

    `audits` are in the order in which the requests were served.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, audit in enumerate(audits):
        groups[audit.teacher_label].append(index)
    weights = audit_weights(audits)
    agree = np.array([audit.agreement for audit in audits], dtype=np.float64)
    found = []
    for label, members in groups.items():
        missed = [audits[index] for index in members if not audits[index].agree]
        if missed:
            share = weighted_share(agree[members], weights[members])
            said = Counter(audit.student_label for audit in missed).most_common(1)[0][0]
            found.append(Slice(label, len(members), share, said, tuple(missed[::-1][:EXAMPLES])))
    return tuple(sorted(found, key=lambda one: (-one.missed, one.label))[:limit])
