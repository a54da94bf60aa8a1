"""A stage ships only if it earned its place on rows that chose nothing; the reason is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.progress import Silent
from coffey.core.records import Interval
from coffey.distill.chain import run_chain
from coffey.distill.controls import DIRECT, direct_jump, shorter_route
from coffey.distill.journal import StageJournal, StageState
from coffey.distill.proof import ask, hold_rows, prove_chain
from coffey.stats.intervals import paired_difference
from coffey.stats.scoring import ManyLabels

ROUTES = st.lists(st.floats(0, 1), min_size=2, max_size=5)
"""Quality of the last student after 0, 1, ... stages."""


def compared(quality: list[float], slack: float):
    """Exact differences, with an interval of this half-width; and the routes that were asked for."""
    asked: set[int] = set()

    def difference(longer: int, shorter: int) -> Interval:
        asked.update((longer, shorter))
        value = quality[longer] - quality[shorter]
        return Interval(value, value - slack, value + slack)

    return difference, asked


@given(ROUTES, st.floats(0.001, 0.2))
def test_what_ships_beats_the_direct_jump_or_is_it(quality, slack):
    """The kept stages are the first ones, and the last of them is needed; dropped ones are not."""
    whole = len(quality) - 1
    difference, asked = compared(quality, slack)
    kept, answers = ask(whole, difference)
    assert [answer.kept for answer in answers] == [stage < kept for stage in range(whole)]
    if kept:
        assert quality[kept] - quality[0] > slack
    else:
        assert quality[whole] - quality[0] <= slack
        assert asked == {0, whole}, "a chain that does not beat the direct jump costs one training more"
    if kept > 1:
        last = answers[kept - 1]
        assert last.difference.low > 0 or quality[kept - 1] - quality[0] <= slack


def test_a_chain_without_use_hardly_ever_ships():
    """Of 400 chains whose stages change nothing, judged on 300 rows, about 2.5 % are believed."""
    draw = np.random.default_rng(7)

    def ships() -> bool:
        share = draw.uniform(0.6, 0.95)
        right = draw.random((3, 300)) < np.where(draw.random(300) < 0.8, draw.random(300) < share, share)
        kept, _ = ask(
            2,
            lambda longer, shorter: paired_difference(right[longer], right[shorter], seed=0, resamples=2000),
        )
        return kept > 0

    believed = sum(ships() for _ in range(400))
    assert 1 <= believed <= 24, "binomial: 10 are expected, and 25 or more come once in 20,000 times"


def test_held_rows_neither_train_nor_choose(request_for):
    """Every second validation row leaves the request; all others stay with what belongs to them."""
    request = request_for()
    rest, held = hold_rows(request)
    assert len(rest.texts) + len(held.texts) == len(request.texts)
    assert not set(rest.texts) & set(held.texts)
    assert abs(int(rest.validation.sum()) - len(held.texts)) <= 1
    assert (~rest.validation).sum() == (~request.validation).sum()
    assert held.measure == "accuracy"
    place = {text: row for row, text in enumerate(request.texts)}
    assert held.truth.tolist() == [request.hard[place[text]] for text in held.texts]
    assert np.array_equal(rest.teacher, request.teacher[[place[text] for text in rest.texts]])
    _, unlabelled = hold_rows(replace(request, hard=None))
    assert unlabelled.measure == "agreement"
    assert unlabelled.truth.tolist() == [int(request.teacher[place[text]].argmax()) for text in held.texts]


def test_held_rows_of_many_labels_are_judged_by_sets(request_for):
    """The true sets where all are known, else the root teacher's at its threshold."""
    request = replace(request_for(), scoring=ManyLabels(0.3))
    sets = (request.teacher >= 0.6).astype(np.int64)
    place = {text: row for row, text in enumerate(request.texts)}
    _, held = hold_rows(replace(request, hard=sets))
    rows = [place[text] for text in held.texts]
    assert held.measure == "F1"
    assert np.array_equal(held.truth, sets[rows])
    _, unlabelled = hold_rows(replace(request, hard=None))
    assert unlabelled.measure == "agreement"
    assert np.array_equal(unlabelled.truth, request.teacher[rows] >= 0.3)


@pytest.mark.slow
def test_a_stage_without_use_is_dropped_with_its_reason(request_for):
    """A chain that was hardly trained does not beat the direct jump at equal compute: that one ships.

    The decision is in the journal once, however often the run is repeated, and the stage stays finished.
    """
    request, held = hold_rows(request_for({"epochs": 1.0}))
    chain = run_chain(request, progress=Silent())
    proof = prove_chain(request, chain, held, progress=Silent())
    (decision,) = proof.decisions
    assert (decision.stage, decision.kept, decision.against) == (chain.stages[0].name, False, DIRECT)
    assert decision.difference.low <= 0
    assert f"on {len(held.texts)} held rows" in decision.reason
    assert proof.shipped == proof.routes[0] != chain.final
    assert proof.shipped.taught_by == ("teacher",)
    again = prove_chain(request, run_chain(request, progress=Silent()), held, progress=Silent())
    assert again.decisions == proof.decisions
    assert replace(again.shipped, resumed=False) == proof.shipped
    assert direct_jump(request, chain, progress=Silent()).resumed, "the control arm is the same training"
    noted = [event for event in StageJournal(request.folder / "journal").events() if event.state.decides]
    assert [(event.stage, event.state) for event in noted] == [(decision.stage, StageState.DROPPED)]
    assert noted[0].result["reason"] == decision.reason


@pytest.mark.slow
def test_a_shorter_route_keeps_its_first_stages_and_costs_no_more(request_for):
    """The last student learns from the stages that stay, and gets what the others would have cost."""
    stages = ("layers=2,width=64,intermediate=128", "layers=2,width=32", "layers=1,width=32")
    request = request_for({"epochs": 1.0, "patience": 100}, stages=stages)
    chain = run_chain(request, progress=Silent())
    route = shorter_route(request, chain, 1, progress=Silent())
    assert route.name == f"without {stages[1]}"
    assert route.taught_by == ("teacher", stages[0])
    assert route.initialized == stages[0]
    assert route.steps > chain.final.steps
    assert chain.stages[0].flops + route.flops == pytest.approx(chain.flops, rel=0.35)


def test_a_hopeless_stage_teaches_nobody(request_for, monkeypatch):
    """A student that is no better than one constant answer is left out, and the decision says so."""
    request, held = hold_rows(request_for({"epochs": 2.0}))
    learning_nothing = replace(request, settings=replace(request.settings, learning_rate=1e-9))
    constant = np.full_like(request.teacher, 1e-3)
    constant[:, 0] = 1 - 3e-3
    chain = run_chain(replace(learning_nothing, teacher=constant, encoder=None), progress=Silent())
    given_up, last = chain.stages
    assert "one and the same answer" in given_up.hopeless
    assert last.taught_by == ("teacher",)
    proof = prove_chain(request, chain, held, progress=Silent())
    assert not proof.decisions[0].kept
    assert given_up.hopeless in proof.decisions[0].reason
    assert (proof.shipped, proof.before) == (last, ())


def test_without_held_rows_nothing_is_proven(request_for):
    """A validation split of one row keeps it; the direct jump ships, and the reason says: on 0 rows."""
    one = np.arange(320) == 7
    request, held = hold_rows(request_for({"epochs": 0.5}, validation=one))
    assert (len(held.texts), int(request.validation.sum())) == (0, 1)
    proof = prove_chain(request, run_chain(request, progress=Silent()), held, progress=Silent())
    assert not proof.decisions[0].kept
    assert "on 0 held rows" in proof.decisions[0].reason
