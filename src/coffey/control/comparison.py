"""Champion against another student on logged requests: the teacher is asked only where the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coffey.control.audits import Answer
from coffey.core.settings import Settings
from coffey.stats.paired_sequence import Comparison, Outcome, PairedSequence, Verdict
from coffey.stats.scoring import Answers, Scoring
from coffey.teacher.known import KnownAnswers

BATCH = 8
"""Texts asked about between two looks at the evidence: fewer than so many are asked in vain, and an endpoint
is kept busy (`teacher.endpoint.concurrency`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a comparison ends."""

    error_rate: float
    better_over: float
    """The gain that is to be shown."""
    hopeless_under: float
    """A gain under this ends it as well."""
    tolerated: float
    """A loss up to this is no loss."""
    labels: int
    """Texts that the teacher may be asked about."""

    @classmethod
    def to_promote(cls, settings: Settings) -> Rules:
        """A challenger wants the place of the champion."""
        control = settings.control
        return cls(
            error_rate=control.error_rate,
            better_over=control.min_gain,
            hopeless_under=control.min_gain,
            tolerated=settings.monitor.max_drop,
            labels=control.comparison_labels,
        )

    @classmethod
    def to_roll_back(cls, settings: Settings) -> Rules:
        """The previous champion may be wanted back.

        The watch ends once that is shown to gain no more than a drop that is tolerated.
        """
        control, tolerated = settings.control, settings.monitor.max_drop
        return cls(
            error_rate=control.error_rate,
            better_over=0.0,
            hopeless_under=tolerated,
            tolerated=tolerated,
            labels=control.comparison_labels,
        )

    def verdict(self, sequence: PairedSequence) -> Verdict:
        """What the evidence says now."""
        if sequence.is_over(self.better_over):
            return Verdict.BETTER
        if sequence.is_under(self.hopeless_under):
            return Verdict.NOT_BETTER
        return Verdict.NO_WORSE if sequence.is_over(-self.tolerated) else Verdict.NOT_YET

    def is_decided(self, sequence: PairedSequence) -> bool:
        """Whether there is nothing more to ask for."""
        return self.verdict(sequence) in (Verdict.BETTER, Verdict.NOT_BETTER)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a comparison has seen so far, small enough for a journal."""

    requests: int = 0
    differing: int = 0
    """Of those."""
    asked: int = 0
    """Texts that the teacher was asked about."""
    outcomes: tuple[Outcome, ...] = ()

    def sequence(self, rules: Rules) -> PairedSequence:
        """The evidence in it."""
        made = PairedSequence(error_rate=rules.error_rate)
        made.extend(self.outcomes)
        return made

    def look(self, rules: Rules) -> Comparison:
        """What it shows."""
        sequence = self.sequence(rules)
        return Comparison(
            verdict=rules.verdict(sequence),
            requests=self.requests,
            differing=self.differing / self.requests if self.requests else 0.0,
            asked=self.asked,
            won=round(sum(times for x, _, times in self.outcomes if x > 0)),
            lost=round(sum(times for x, _, times in self.outcomes if x < 0)),
            gain=sequence.interval(),
        )


class Student(Protocol):
    """What is compared: a served student, or a simulated one."""

    @property
    def scoring(self) -> Scoring:
        """How answers are read and scored."""

    def predict(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Probabilities [texts, labels]."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Logged requests in an order that owes nothing to their answers."""

    texts: Sequence[str]
    counts: npt.NDArray[np.float64]
    """Requests that each text stands for [n]."""


def compare(
    champion: Student,
    rival: Student,
    requests: Requests,
    rules: Rules,
    *,
    answer: Answer,
    before: Tally | None = None,
    most: int | None = None,
) -> Tally:
    """Ask the teacher about differing requests, in their order, until that decides or `most` were asked.

    The agreeing ones are counted in proportion to the differing ones that were asked about. A text that the
    teacher skips is missing: neither counts for it.
    """
    before = before or Tally()
    if not requests.texts:
        return before
    said = _Answers.of(champion, rival, requests)
    sequence, asked = before.sequence(rules), 0
    if not len(said.differing):
        sequence.update(0.0, times=said.alike)
    left = max(0, rules.labels - before.asked)
    for chosen in _batches(said.differing[: left if most is None else min(left, most)]):
        asked += len(chosen)
        for gain, weight in said.gains(chosen, answer([requests.texts[place] for place in chosen])):
            sequence.update(gain, weight)
            sequence.update(0.0, times=said.alike)
        if rules.is_decided(sequence):
            break
    return Tally(
        requests=before.requests + round(float(requests.counts.sum())),
        differing=before.differing + round(float(requests.counts[said.differing].sum())),
        asked=before.asked + asked,
        outcomes=sequence.outcomes,
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    """What both say, as the champion's task reads it."""

    scoring: Scoring
    champion: Answers
    rival: Answers
    differing: npt.NDArray[np.intp]
    """Places of the requests on which they differ."""
    weights: npt.NDArray[np.float64]
    """[n]; 1 for the differing text that most requests stand for."""
    alike: float
    """Agreeing requests in the unit of the weights, for each differing text; all of them without one."""

    @classmethod
    def of(cls, champion: Student, rival: Student, requests: Requests) -> _Answers:
        scoring = champion.scoring
        ours, theirs = (scoring.answers(one.predict(requests.texts)) for one in (champion, rival))
        differs = np.asarray(scoring.score(ours, theirs), dtype=np.float64) < 1
        places = np.flatnonzero(differs)
        weights = requests.counts / requests.counts[differs if len(places) else ...].max(initial=1.0)
        alike = float(weights[~differs].sum()) / max(1, len(places))
        return cls(scoring, ours, theirs, places, weights, alike)

    def gains(self, places: list[int], teacher: KnownAnswers) -> Iterator[tuple[float, float]]:
        """By how much the rival is more right, with the weight, for each text that the teacher answered."""
        known = np.array(places)[teacher.known]
        wanted = self.scoring.answers(teacher.probabilities)
        theirs, ours = (self.scoring.score(said[known], wanted) for said in (self.rival, self.champion))
        gains = theirs.astype(np.float64) - ours.astype(np.float64)
        return zip(gains.tolist(), self.weights[known].tolist(), strict=True)


def _batches(places: npt.NDArray[np.intp]) -> Iterator[list[int]]:
    for start in range(0, len(places), BATCH):
        yield places[start : start + BATCH].tolist()
