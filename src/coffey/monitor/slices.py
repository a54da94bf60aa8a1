"""Why agreement dropped: the slices of the traffic that it comes from, found with few false discoveries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coffey.core.records import Audit, Interval
from coffey.monitor.baseline import Baseline
from coffey.monitor.slice_groups import CLUSTER, LABEL, Group, Mask, Rows, Vector, groups, telling_words
from coffey.monitor.slice_words import say_slices
from coffey.stats.e_bh import e_bh
from coffey.stats.fall import Fall, evidence_of_fall
from coffey.stats.intervals import difference_of_shares, weighted_share

FALSE_SHARE = 0.1
"""Mean share of the slices named that did not fall, at most: a usual rate where people look at what is found.
While nothing changes it is also the probability that any is ever named."""

EXAMPLES = 3
"""Requests shown of a slice."""

OTHERS = 8
"""Labels with the most disagreement that are shown beside what fell."""

_SAME = 0.5
"""A slice counts as the same as another that holds this share of what it loses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Requests that have something in common, before a moment and since then."""

    kind: str
    """`label` (the student's), `length`, or `cluster` (of the student's features)."""
    name: str
    """Which requests, in words."""
    log_evidence: float
    """Natural logarithm of the evidence that it costs agreement now and did not before."""
    since_unix_s: float
    audits: int
    """Since then."""
    audits_before: int
    """Before, with the examples of the promise."""
    agreement: Interval
    """Since then, weighted by the requests that each audit stands for. The slices that are named were chosen
    by the same audits, so that small falls look larger."""
    agreement_before: Interval | None
    """None where there was no such request."""
    share: float
    """Share of the traffic since then."""
    share_before: float
    lost: float
    """What it takes from the agreement of all requests since then and did not take before."""
    explained: float | None
    """`lost` as a share of the whole drop; None where agreement as a whole did not drop."""
    same_as: str | None
    """The name of a slice with more evidence that holds most of what this one loses."""
    mistaken_for: str
    """The teacher's most frequent answer where the two disagree; empty where they do not."""
    examples: tuple[Audit, ...]
    """The latest requests on which the two disagree, latest first."""

    @property
    def drop(self) -> float | None:
        """How far agreement fell within it; None where there was no such request before."""
        return None if self.agreement_before is None else self.agreement_before.value - self.agreement.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReport:
    """Which slices a drop comes from."""

    examined: int
    """Slices that were looked at."""
    false_share: float
    """The false discovery rate that is kept, at most."""
    since_unix_s: float | None
    """The moment that `drop` compares: the change that an alarm found, or where the first slice fell; None
    where nothing was found."""
    drop: Interval | None
    """Agreement of all requests before that moment minus since then."""
    explained: float | None
    """The share of the drop that the slices found explain together."""
    found: tuple[Slice, ...]
    """The one with the most evidence first."""
    others: tuple[Slice, ...]
    """Labels with the most disagreement since the promotion, not shown to have fallen."""
    sentence: str = ""
    """Since when, how far, and which requests it comes from, with numbers."""


def find_slices(
    audits: Sequence[Audit],
    *,
    promised: float,
    baseline: Baseline | None = None,
    change: int | None = None,
    least_probability: float | None = None,
) -> SliceReport:
    """The slices that cost agreement now and did not before, with a bounded share of false ones.

    Looked at are the student's labels, bins of length, the clusters of the baseline, and what is unlike all
    of them. For one slice a request within it counts with its agreement, any other with the promised one: the
    mean is what agreement would be were all else as promised. It falls where agreement falls within the slice
    and where requests that do worse than promised become more. Its e-process is `evidence_of_fall`, with
    p_min / p as weights, so that audits aimed at unsure requests bias nothing; before are the examples of the
    promise and the audits up to any moment. `e_bh` names those that fell: however often anybody looks, the
    mean share of false ones is at most `FALSE_SHARE` at the moment one acts on it.

    Args:
        audits: of one champion since its promotion, in the order in which the requests were served.
        promised: the agreement of its contract.
        baseline: of the champion; without one there is no length and no cluster to look at.
        change: index of the first audit after the change that an alarm found, by which all slices are then
            compared; without one each is compared from where it began to fall itself.
        least_probability: as in `watch_agreement`.
    """
    report = _report(audits, promised, baseline, change, least_probability) if audits else _NOTHING
    return replace(report, sentence=say_slices(report))


@dataclass(frozen=True, slots=True)
class Examined:
    """One slice, what speaks for a fall, and whether it is named."""

    group: Group
    fall: Fall
    fell: bool


def examine(rows: Rows, baseline: Baseline | None, *, promised: float) -> list[Examined]:
    """Every slice of these rows; which fell is decided for all together."""
    looked = list(groups(rows, baseline))
    falls = [
        evidence_of_fall(np.where(group.inside, rows.agreement, promised), group.weight, known=rows.known)
        for group in looked
    ]
    named = e_bh([fall.log_evidence for fall in falls], FALSE_SHARE).tolist()
    return [Examined(*one) for one in zip(looked, falls, named, strict=True)]


_NOTHING = SliceReport(
    examined=0, false_share=FALSE_SHARE, since_unix_s=None, drop=None, explained=None, found=(), others=()
)


def _report(
    audits: Sequence[Audit],
    promised: float,
    baseline: Baseline | None,
    change: int | None,
    least_probability: float | None,
) -> SliceReport:
    rows = Rows.of(audits, baseline, least_probability)
    looked = examine(rows, baseline, promised=promised)
    fell = sorted((one for one in looked if one.fell), key=lambda one: -one.fall.log_evidence)
    compare = _Comparison(audits, rows, promised)
    starts = [rows.known + change if change else one.fall.start for one in fell]
    found, together = compare.ranked(fell, starts)
    report = replace(
        _NOTHING,
        examined=len(looked),
        found=found,
        others=compare.most_missed([one for one in looked if not one.fell and one.group.kind == LABEL]),
    )
    if not starts:
        return report
    return replace(
        report,
        since_unix_s=audits[starts[0] - rows.known].unix_s,
        drop=compare.drop(starts[0]),
        explained=compare.explained(together, rows.weight, starts[0]),
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Slices before and since a row."""

    audits: Sequence[Audit]
    rows: Rows
    promised: float

    def ranked(self, fell: Sequence[Examined], starts: Sequence[int]) -> tuple[tuple[Slice, ...], Mask]:
        """What was found, each marked that repeats one before it; and the rows of all of them."""
        found: list[Slice] = []
        kept: list[Group] = []
        together = np.zeros(len(self.rows.agreement), dtype=np.bool_)
        for found_one, start in zip(fell, starts, strict=True):
            group, one = found_one.group, self.slice(found_one, start)
            same = next((other.name for other in kept if self._overlap(group, other, start) >= _SAME), None)
            if same is None:
                kept.append(replace(group, name=one.name))
            found.append(replace(one, same_as=same))
            together |= group.inside
        return tuple(found), together

    def slice(self, examined: Examined, start: int) -> Slice:
        """One slice before `start` and since then; `same_as` is left open."""
        rows, known, group = self.rows, self.rows.known, examined.group
        inside = group.inside & (group.weight > 0)
        before, after = inside[:start], inside[start:]
        missed = [self.audits[row - known] for row in self._missed(group, start)]
        said = Counter(audit.teacher_label for audit in missed).most_common(1)
        return Slice(
            kind=group.kind,
            name=self._name(group),
            log_evidence=examined.fall.log_evidence,
            since_unix_s=self.audits[start - known].unix_s,
            audits=int(after.sum()),
            audits_before=int(before.sum()),
            agreement=weighted_share(rows.agreement[start:][after], group.weight[start:][after]),
            agreement_before=(
                weighted_share(rows.agreement[:start][before], group.weight[:start][before])
                if before.any()
                else None
            ),
            share=_mean(after.astype(np.float64), group.weight[start:]),
            share_before=_mean(before.astype(np.float64), group.weight[:start]),
            lost=self._lost(group.inside, group.weight, start),
            explained=self.explained(group.inside, group.weight, start),
            same_as=None,
            mistaken_for=said[0][0] if said else "",
            examples=tuple(missed[::-1][:EXAMPLES]),
        )

    def most_missed(self, labels: Sequence[Examined]) -> tuple[Slice, ...]:
        """The labels with the most disagreement since the promotion; those without any are left out."""
        start = self.rows.known
        counts = {one.group.name: len(self._missed(one.group, start)) for one in labels}
        missed = [one for one in labels if counts[one.group.name]]
        most = sorted(missed, key=lambda one: (-counts[one.group.name], one.group.name))[:OTHERS]
        return tuple(self.slice(one, start) for one in most)

    def drop(self, start: int) -> Interval:
        """Agreement of all requests before a row minus since then."""
        agreement, weight = self.rows.agreement, self.rows.weight
        return difference_of_shares(
            weighted_share(agreement[:start], weight[:start]),
            weighted_share(agreement[start:], weight[start:]),
        )

    def explained(self, inside: Mask, weight: Vector, start: int) -> float | None:
        """The share of the drop that these rows lose."""
        whole = self.drop(start).value
        return self._lost(inside, weight, start) / whole if whole > 0 else None

    def _lost(self, inside: Mask, weight: Vector, start: int) -> float:
        score = np.where(inside, self.rows.agreement, self.promised)
        return _mean(score[:start], weight[:start]) - _mean(score[start:], weight[start:])

    def _missed(self, group: Group, start: int) -> list[int]:
        """Rows of the slice from `start` on whose answers differ."""
        inside = np.flatnonzero(group.inside[start:] & (group.weight[start:] > 0)) + start
        return [row for row in inside.tolist() if not self.audits[row - self.rows.known].agree]

    def _overlap(self, group: Group, other: Group, start: int) -> float:
        """The share of a slice's disagreement since `start` that lies within another one."""
        missed = group.weight[start:] * (1 - self.rows.agreement[start:]) * group.inside[start:]
        return float((missed * other.inside[start:]).sum() / max(float(missed.sum()), 1e-12))

    def _name(self, group: Group) -> str:
        """Clusters have no name but the words that stand out among their texts."""
        if group.kind != CLUSTER:
            return group.name
        words = telling_words(self.audits, group.inside[self.rows.known :])
        return f"{group.name} ({', '.join(words)})" if words else group.name


def _mean(values: Vector, weights: Vector) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total else 0.0
