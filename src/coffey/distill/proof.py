"""Whether each stage earned its place: the last student with it against the last student without it.

Both are trained on the same texts at equal compute (`controls`) and answer the same held rows: half of the
validation split. The other half chose the best weights of both, and says more good of whoever was evaluated
more often; the held half chose nothing. The holdout is not looked at.

The order of the questions is fixed before any answer is known, and each is asked only when the one before was
answered with yes, so a chain without use ships in about 2.5 % of the runs, however many stages it has: the
chance that the lower end of a 95 % interval is above 0 (fixed-sequence testing; Maurer, Hothorn and Lehmacher
1995):

1. Does the whole chain beat the direct jump? If not, all stages before the last are dropped.
2. Does it beat the chain without its last middle stage? If not, and that shorter route beats the direct jump
   too, the stage is dropped and the question is asked of the one before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np

from coffey.core.progress import Progress
from coffey.core.records import Interval, JsonObject
from coffey.distill.answers import answer
from coffey.distill.batches import tokenize
from coffey.distill.controls import DIRECT, route_name, shorter_route
from coffey.distill.device import accelerator
from coffey.distill.journal import StageJournal
from coffey.distill.records import ChainRequest, ChainResult, StageResult
from coffey.stats.intervals import paired_difference
from coffey.stats.scoring import Answers, Scores, Scoring
from coffey.students.checkpoint import load_student


@dataclass(frozen=True, slots=True)
class HeldRows:
    """Rows that no stage learns from and that choose no weights: they judge the stages."""

    texts: tuple[str, ...]
    truth: Answers
    """The hard labels where every row's are known, else the root teacher's answers."""
    measure: str
    """`accuracy` (`F1` in a multi-label task) or `agreement`, by that."""
    scoring: Scoring


@dataclass(frozen=True, slots=True)
class StageDecision:
    """Whether one stage before the last earned its place."""

    stage: str
    kept: bool
    reason: str
    against: str | None = None
    """The route without it; None where the stage was given up before anything could be compared."""
    measure: str | None = None
    difference: Interval | None = None
    """The last student with the stage minus the last student without it."""
    examples: int = 0
    """Held rows that both answered."""

    def as_json(self) -> JsonObject:
        """For the journal."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared, what was decided, and who ships."""

    decisions: tuple[StageDecision, ...]
    """One a stage before the last, in their order."""
    routes: tuple[StageResult, ...]
    """The last student as it was trained without some of them."""
    shipped: StageResult
    before: tuple[StageResult, ...]
    """The stages that the shipped student was taught after."""


def hold_rows(request: ChainRequest) -> tuple[ChainRequest, HeldRows]:
    """Take every second row of the validation split out of a request, to judge its stages later.

    Returns:
        The request without those rows, and the rows. A validation split of one row keeps it.
    """
    held = np.zeros(len(request.texts), dtype=bool)
    held[np.flatnonzero(request.validation)[1::2]] = True
    hard, scoring = request.hard_labels(), request.scoring
    rest = np.flatnonzero(~held).tolist()
    labelled = held.any() and bool(scoring.known(hard[held]).all())
    truth = hard if labelled else scoring.answers(request.teacher)
    kept = replace(
        request,
        texts=[request.texts[row] for row in rest],
        keys=[request.keys[row] for row in rest],
        teacher=request.teacher[rest],
        hard=None if request.hard is None else request.hard[rest],
        validation=np.asarray(request.validation, dtype=bool)[rest],
    )
    texts = tuple(request.texts[row] for row in np.flatnonzero(held).tolist())
    return kept, HeldRows(texts, truth[held], scoring.measure if labelled else "agreement", scoring)


def prove_chain(request: ChainRequest, result: ChainResult, held: HeldRows, *, progress: Progress) -> Proof:
    """Train the shorter routes that the questions ask for, decide on every stage, note it in the journal.

    Args:
        request: what the chain was trained on, without the held rows.
        result: the chain.
        held: see `hold_rows`.
        progress: hears every step.

    Raises:
        StageError: as `stage.run_stage`.
    """
    proof = _prove(request, result, held, progress) if result.teaching else _alone(result)
    journal = StageJournal(request.folder / "journal")
    for decision in proof.decisions:
        journal.decide(decision.stage, kept=decision.kept, why=decision.as_json())
        progress.say(f"{decision.stage} {'is kept' if decision.kept else 'is dropped'}: {decision.reason}")
    return proof


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found out about one stage."""

    kept: bool
    shorter: int
    """Stages of the route that it was compared with."""
    difference: Interval


def ask(whole: int, difference: Callable[[int, int], Interval]) -> tuple[int, tuple[Answer, ...]]:
    """The questions of this module, in their order.

    Args:
        whole: stages before the last, 1 or more.
        difference: of the route with the first `i` of them minus that with the first `j`; a route is only
            asked for when a question needs it, since it must be trained.

    Returns:
        How many stages are kept (always the first ones), and an answer a stage.
    """
    found: dict[int, Answer] = {}
    kept = whole if difference(whole, 0).low > 0 else 0
    while kept > 1 and kept not in found:
        without = difference(kept, kept - 1)
        needed = without.low > 0 or difference(kept - 1, 0).low <= 0
        found[kept] = Answer(needed, kept - 1, without)
        kept -= not needed
    to_direct = difference(kept or whole, 0)
    answers = [found.get(stage, Answer(stage <= kept, 0, to_direct)) for stage in range(1, whole + 1)]
    return kept, tuple(answers)


class _Routes:
    """The routes trained so far, by how many stages they keep, and how they answer the held rows."""

    def __init__(
        self, request: ChainRequest, result: ChainResult, held: HeldRows, progress: Progress
    ) -> None:
        self.train = partial(shorter_route, request, result, progress=progress)
        self.held = held
        self.trained = {len(result.teaching): result.final}
        self.scores: dict[int, Scores] = {}

    def difference(self, longer: int, shorter: int) -> Interval:
        """The mean score of a route's student on the held rows, minus that of another's."""
        return paired_difference(self.score(longer), self.score(shorter), seed=0)

    def score(self, kept: int) -> Scores:
        """How right the student of a route is, [held]."""
        if kept not in self.trained:
            self.trained[kept] = self.train(kept)
        if kept not in self.scores:
            self.scores[kept] = score_held(self.trained[kept], self.held)
        return self.scores[kept]


def _prove(request: ChainRequest, result: ChainResult, held: HeldRows, progress: Progress) -> Proof:
    routes, stages = _Routes(request, result, held, progress), result.teaching
    kept, answers = ask(len(stages), routes.difference)
    found = {
        stage.name: _decision(stage.name, route_name(result, one.shorter), one, held)
        for stage, one in zip(stages, answers, strict=True)
    }
    return Proof(
        decisions=tuple(found.get(stage.name) or _given_up(stage) for stage in result.stages[:-1]),
        routes=tuple(route for number, route in sorted(routes.trained.items()) if number != len(stages)),
        shipped=routes.trained[kept],
        before=stages[:kept],
    )


def _decision(stage: str, against: str, found: Answer, held: HeldRows) -> StageDecision:
    rows = len(held.texts)
    return StageDecision(
        stage=stage,
        kept=found.kept,
        reason=reason(against, held.measure, found.difference, rows, kept=found.kept),
        against=against,
        measure=held.measure,
        difference=found.difference,
        examples=rows,
    )


def score_held(stage: StageResult, held: HeldRows) -> Scores:
    """How right a trained student's answers to the held rows are, [held]."""
    saved = load_student(stage.folder)
    texts = tokenize(saved.tokenizer, held.texts, max_length=stage.shape.max_length)
    student, scoring = saved.student.to(accelerator().device), held.scoring
    said = answer(student, texts, np.arange(len(texts)), scoring)
    return scoring.score(scoring.answers(said), held.truth)


def reason(against: str, measure: str, difference: Interval, rows: int, *, kept: bool) -> str:
    """One sentence: by how much, on how many rows, and what follows.

    >>> reason("direct jump", "accuracy", Interval(0.004, -0.01, 0.018), 750, kept=False)
    'no winner against the direct jump: +0.4 points of accuracy (-1.0 to +1.8) on 750 held rows'
    """
    route = f"the {against}" if against == DIRECT else f"the chain {against}"
    numbers = (
        f"{difference.value * 100:+.1f} points of {measure} "
        f"({difference.low * 100:+.1f} to {difference.high * 100:+.1f}) on {rows:,} held rows"
    )
    if difference.low > 0:
        return f"it beats {route}: {numbers}"
    rest = ", but only with it is the direct jump beaten" if kept else ""
    return f"{'it loses' if difference.high < 0 else 'no winner'} against {route}: {numbers}{rest}"


def _alone(result: ChainResult) -> Proof:
    given_up = tuple(_given_up(stage) for stage in result.stages[:-1])
    return Proof(given_up, (), result.final, ())


def _given_up(stage: StageResult) -> StageDecision:
    return StageDecision(stage.name, False, f"it was given up {stage.hopeless}")
