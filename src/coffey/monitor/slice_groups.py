"""The slices that are looked at: by the student's label, by length, by cluster of its features."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coffey.core.records import Audit
from coffey.monitor.agreement import audit_weights
from coffey.monitor.baseline import UNPLACED, Baseline
from coffey.stats.clusters import UNLIKE
from coffey.traffic.redaction import is_redacted

LABEL, LENGTH, CLUSTER = "label", "length", "cluster"

Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]

_WORD = re.compile(r"[^\W\d_]{3,}")
_WORDS = 3
_LEAST_TEXTS = 3
"""Texts of a cluster that a word must stand in to name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The examples of the promise, then the audits; one row each."""

    said: npt.NDArray[np.str_]
    """The student's answers [n]."""
    agreement: Vector
    weight: Vector
    """In proportion to the requests that a row stands for, in (0, 1] [n]."""
    tokens: Vector
    """nan where it is not known [n]."""
    cluster: npt.NDArray[np.int64]
    """`UNPLACED` where it is not known [n]."""
    known: int
    """Examples of the promise."""
    many_labels: bool
    """Whether `said` are JSON lists of labels."""

    @classmethod
    def of(cls, audits: Sequence[Audit], baseline: Baseline | None, least: float | None) -> Rows:
        """At least one audit; `least` is the least probability with which any request may be audited."""
        said = np.array([audit.student_label for audit in audits])
        agreement = np.array([audit.agreement for audit in audits], dtype=np.float64)
        weight = audit_weights(audits, least)
        tokens = np.array([math.nan if audit.tokens is None else audit.tokens for audit in audits])
        cluster = np.array([UNPLACED if audit.cluster is None else audit.cluster for audit in audits])
        if baseline is not None:
            said = np.r_[np.array(baseline.said), said]
            agreement = np.r_[baseline.agreement, agreement]
            weight = np.r_[baseline.weight, weight]
            tokens = np.r_[baseline.tokens, tokens]
            cluster = np.r_[baseline.cluster, cluster]
        return cls(
            said=said,
            agreement=agreement,
            weight=weight,
            tokens=tokens,
            cluster=cluster,
            known=0 if baseline is None else len(baseline),
            many_labels=any(audit.score is not None for audit in audits),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """One slice, as rows."""

    kind: str
    name: str
    """Which requests, in words."""
    inside: Mask
    """Rows that belong to it [n]."""
    weight: Vector
    """Of each row; 0 where it is not known whether it belongs [n]."""


def groups(rows: Rows, baseline: Baseline | None) -> Iterator[Group]:
    """Every slice that is looked at. Which ones those are does not depend on the teacher's answers."""
    yield from _by_label(rows, () if baseline is None else baseline.labels)
    if baseline is not None:
        yield from _by_length(rows, baseline)
        yield from _by_cluster(rows, baseline)


def telling_words(audits: Sequence[Audit], inside: Mask) -> tuple[str, ...]:
    """Words that are frequent in the texts of these audits and rare in others; none where no text was kept.

    By the part that each has in the divergence of the two mixes of words.
    """
    texts: Counter[bool] = Counter()
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for audit, member in zip(audits, inside.tolist(), strict=True):
        if not is_redacted(audit.text):
            texts[member] += 1
            counts[member].update(set(_WORD.findall(audit.text.lower())))

    def part(word: str) -> float:
        within = counts[True][word] / texts[True]
        without = (counts[False][word] + 0.5) / (texts[False] + 1)
        return within * math.log(within / without)

    frequent = [word for word, count in counts[True].items() if count >= _LEAST_TEXTS]
    best = sorted(frequent, key=lambda word: (-part(word), word))[:_WORDS]
    return tuple(word for word in best if part(word) > 0)


def _by_label(rows: Rows, labels: Sequence[str]) -> Iterator[Group]:
    names, code = np.unique(rows.said, return_inverse=True)
    sets = [set(json.loads(name)) if rows.many_labels else {name} for name in names.tolist()]
    for label in sorted({*labels, *(label for one in sets for label in one)}):
        holds = np.array([label in one for one in sets])
        yield Group(LABEL, f"answered {label!r}", holds[code], rows.weight)


def _by_length(rows: Rows, baseline: Baseline) -> Iterator[Group]:
    edges = baseline.edges.tolist()
    level = np.searchsorted(edges, np.nan_to_num(rows.tokens), side="right")
    weight = np.where(np.isnan(rows.tokens), 0.0, rows.weight)
    for index in range(len(edges) + 1):
        yield Group(LENGTH, _length_name(edges, index), level == index, weight)


def _length_name(edges: Sequence[int], index: int) -> str:
    if not edges:
        return "of any length"
    if index == 0:
        return f"of up to {edges[0] - 1} tokens"
    if index == len(edges):
        return f"of {edges[-1]} tokens or more"
    return f"of {edges[index - 1]} to {edges[index] - 1} tokens"


def _by_cluster(rows: Rows, baseline: Baseline) -> Iterator[Group]:
    weight = np.where(rows.cluster == UNPLACED, 0.0, rows.weight)
    for index in range(len(baseline.clusters)):
        yield Group(CLUSTER, f"of cluster {index}", rows.cluster == index, weight)
    yield Group(CLUSTER, "unlike those of the promise", rows.cluster == UNLIKE, weight)
