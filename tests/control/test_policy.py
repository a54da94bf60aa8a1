"""Decisions follow from the evidence, and say why in numbers."""

import dataclasses

import numpy as np
import pytest

from coffey.control.policy import Paired, decide, judge, look_back_reason, stand
from coffey.core.records import Contract, DecisionKind, Interval
from coffey.export.gate import GateResult
from coffey.monitor.agreement import AgreementReport, Change
from coffey.monitor.drift import DriftReport
from coffey.monitor.slices import Slice, SliceReport
from coffey.stats.paired_sequence import Comparison, Verdict

PROMISE = Interval(0.934, 0.915, 0.95)
CONTRACT = Contract(PROMISE, 700, "holdout", max_drop=0.02, redistill_drop=0.03)


def report(drop=None, *, alarm=True, audits=900, log_evidence=14.56):
    """A report whose agreement since the change is `drop` under the promise; None: no change at present."""
    value = None if drop is None else 0.934 - drop
    change = (
        None
        if value is None
        else Change(688, "r", 5.0, 212, Interval(value, value - 0.033, value + 0.028), drop)
    )
    return AgreementReport(
        audits=audits,
        overall=Interval(0.92, 0.9, 0.94),
        promised=PROMISE,
        floor=PROMISE.low,
        average_run_length=365_000,
        log_evidence=log_evidence,
        log_threshold=float(np.log(365_000)),
        alarm=alarm,
        alarm_index=850 if alarm else None,
        alarm_unix_s=4.0 if alarm else None,
        change=change,
        series=(),
    )


@pytest.mark.parametrize(
    ("drop", "alarm", "kind"),
    [
        (0.061, True, DecisionKind.REDISTILL),
        (0.0301, True, DecisionKind.REDISTILL),
        (0.0299, True, DecisionKind.INVESTIGATE),
        (0.0201, True, DecisionKind.INVESTIGATE),
        (0.0199, True, DecisionKind.HEALTHY),
        (-0.02, True, DecisionKind.HEALTHY),
        (None, True, DecisionKind.HEALTHY),
        (0.061, False, DecisionKind.HEALTHY),
        (None, False, DecisionKind.HEALTHY),
    ],
)
def test_only_an_alarm_with_a_drop_leads_to_action(drop, alarm, kind):
    """The bounds of the contract separate healthy, investigate and re-distill; without alarm all is well."""
    assert decide(report(drop, alarm=alarm), None, CONTRACT).kind is kind


def test_the_reason_of_a_redistillation():
    """The sentences say what fell, by how much, how sure that is, and what to do."""
    decision = decide(report(0.061), None, CONTRACT, audits_per_day=1000)
    assert decision.reason == (
        "Agreement fell 6.1 points under the promised 0.934 (0.873, 95 % interval 0.840 to 0.901) over the "
        "last 212 audits; evidence like this comes by chance once in 2.1 million audits at most, and the "
        "promise is one false alarm in 365,000 audits (365 days at 1,000 audits a day). Re-distill."
    )
    assert decision.numbers["drop"] == 0.061
    assert decision.numbers["agreement_since_change_low"] == pytest.approx(0.84)


def test_the_reasons_of_the_others():
    """Each outcome has its own last sentence."""
    reasons = {
        "The contract is kept.": report(None, alarm=False, log_evidence=0.0),
        "Investigate; re-distilling starts at 3.0 points.": report(0.025),
        "There was an alarm, but a drop up to 2.0 points is tolerated: no action.": report(0.01),
        "There was an alarm, but agreement has recovered: no action.": report(None),
    }
    for ending, given in reasons.items():
        assert decide(given, None, CONTRACT).reason.endswith(ending)
    assert "rose 2.0 points over the promised" in decide(report(-0.02), None, CONTRACT).reason
    healthy = decide(report(alarm=False, log_evidence=0.0), None, CONTRACT)
    assert "Agreement is 0.920, 95 % interval 0.900 to 0.940 over 900 audits" in healthy.reason
    assert "drop" not in healthy.numbers


@pytest.mark.parametrize(
    ("log_evidence", "words"), [(5.0, "148"), (21.5, "2.2 billion"), (50.0, "10^22"), (9000.0, "10^3909")]
)
def test_evidence_of_any_size_is_readable(log_evidence, words):
    """Evidence that no float holds is still a number that people can read."""
    assert f"once in {words} audits" in decide(report(0.1, log_evidence=log_evidence), None, CONTRACT).reason


def test_nothing_to_look_at_is_waiting():
    """No champion, no report, or no audit: wait."""
    for agreement, contract in ((report(0.1), None), (None, CONTRACT), (report(audits=0), CONTRACT)):
        decision = decide(agreement, None, contract)
        assert decision.kind is DecisionKind.WAITING
        assert decision.reason.endswith(".")


def test_drift_is_told_but_does_not_act():
    """Inputs that moved change the reason and not the kind; inputs that did not are not mentioned."""
    drifted = DriftReport(300, 300, (), True, "Inputs drifted: length moved most.")
    decision = decide(report(None, alarm=False), drifted, CONTRACT)
    assert (decision.kind, decision.numbers["drifted"]) == (DecisionKind.HEALTHY, "")
    assert decision.reason.endswith("Inputs drifted: length moved most.")
    calm = dataclasses.replace(drifted, drifted=False)
    assert "Inputs drifted" not in decide(report(None, alarm=False), calm, CONTRACT).reason


def paired(n, champion, challenger, seed=0):
    """Independent answers with these shares of right ones."""
    rng = np.random.default_rng(seed)
    return Paired(rng.random(n) < champion, rng.random(n) < challenger)


def shown(verdict=Verdict.BETTER, gain=(0.093, 0.041, 0.128)):
    """A comparison on 3,180 fresh requests."""
    return Comparison(verdict, 3180, 0.142, 61, 48, 9, Interval(*gain))


SAME, LOST = paired(3000, 0.93, 0.93), paired(3000, 0.93, 0.90)


@pytest.mark.parametrize(
    ("verdict", "holdout", "kind"),
    [
        (Verdict.BETTER, SAME, DecisionKind.PROMOTE),
        (Verdict.NOT_BETTER, SAME, DecisionKind.KEEP),
        (Verdict.NO_WORSE, SAME, DecisionKind.KEEP),
        (Verdict.NOT_YET, SAME, DecisionKind.KEEP),
        (Verdict.BETTER, LOST, DecisionKind.KEEP),
        (Verdict.BETTER, paired(40, 0.93, 0.93), DecisionKind.KEEP),
        (Verdict.BETTER, paired(0, 0.8, 0.9), DecisionKind.KEEP),
    ],
)
def test_a_challenger_must_win_and_must_not_lose(verdict, holdout, kind):
    """Promoted only when shown to be better on fresh requests and not to be worse on the old holdout."""
    decision = judge(stand(holdout, tolerated=0.02), shown(verdict))
    assert decision.kind is kind
    promoted = kind is DecisionKind.PROMOTE
    assert decision.reason.endswith("Promote the challenger." if promoted else "Keep the champion.")
    kept = decision.numbers["holdout_change_low"] >= -0.02
    assert (decision.numbers["verdict"] == "better" and kept) is promoted


def test_a_winner_that_the_gate_refuses_is_kept_out():
    """Small tolerated losses cannot add up: the budget is asked of every challenger."""
    gates = (
        GateResult(True, "above"),
        GateResult(False, "retention 0.94 is below budget.min_retention = 0.95"),
    )
    passes, refused = (stand(SAME, tolerated=0.02, gate=gate) for gate in gates)
    assert judge(passes, shown()).kind is DecisionKind.PROMOTE
    assert (passes.passed, refused.passed) == (True, False)
    kept = judge(refused, None)
    assert kept.kind is judge(refused, shown()).kind is DecisionKind.KEEP
    assert "The gate refused it: retention 0.94 is below budget.min_retention = 0.95." in kept.reason


def test_one_that_does_not_stand_is_not_compared():
    """The teacher need not be asked about it."""
    decision = judge(stand(LOST, tolerated=0.02), None)
    assert decision.kind is DecisionKind.KEEP
    assert decision.reason.startswith("It is not compared on fresh requests. On 3,000 old holdout examples")
    assert "not shown to be within the tolerated drop of 2.0 points" in decision.reason
    assert "gain" not in decision.numbers


def test_the_reason_of_a_judgement():
    """What differs, what was asked, who won how often, and what that comes to over all requests."""
    decision = judge(stand(SAME, tolerated=0.02), shown())
    assert decision.reason.startswith(
        "On 3,180 fresh requests the two differ in 14.2 %. Of 61 such texts that the teacher was asked "
        "about, the challenger won 48 and lost 9: over all requests it is 9.3 points better (95 % interval "
        "4.1 to 12.8), better. On 3,000 old holdout examples it is "
    )
    numbers = decision.numbers
    assert (numbers["fresh"], numbers["asked"], numbers["won"], numbers["lost"]) == (3180, 61, 48, 9)
    assert numbers["gain_low"] == pytest.approx(0.041)
    unsure = judge(stand(SAME, tolerated=0.02), shown(Verdict.NO_WORSE, (0.004, -0.01, 0.02))).reason
    assert "not worse, and not shown to be better." in unsure


@pytest.mark.parametrize("waits", [True, False])
def test_the_reason_of_a_rollback(waits):
    """The same, of the previous champion; with approval it says how."""
    reason = look_back_reason(shown(), "news-1", waits=waits)
    assert "the previous champion news-1 won 48 and lost 9" in reason
    assert reason.endswith("it waits for approval, `coffey rollback`." if waits else " Roll back.")


def fallen(before, now, *, same_as=None):
    """A report of one slice that was found."""
    one = Slice(
        kind="label",
        name="answered 'refund'",
        log_evidence=9.0,
        since_unix_s=0.0,
        audits=140,
        audits_before=600,
        agreement=Interval(now, now - 0.05, now + 0.05),
        agreement_before=None if before is None else Interval(before, before - 0.02, before + 0.02),
        share=0.05,
        share_before=0.05,
        lost=0.0075,
        explained=0.9,
        same_as=same_as,
        mistaken_for="invoice",
        examples=(),
    )
    return SliceReport(
        examined=30,
        false_share=0.1,
        since_unix_s=0.0,
        drop=Interval(0.008, 0.001, 0.015),
        explained=0.9,
        found=(one,),
        others=(),
        sentence="Where it fell.",
    )


@pytest.mark.parametrize(
    ("slices", "kind"),
    [
        (fallen(0.95, 0.80), DecisionKind.INVESTIGATE),
        (fallen(0.82, 0.81), DecisionKind.HEALTHY),
        (fallen(None, 0.80), DecisionKind.INVESTIGATE),
        (fallen(None, 0.93), DecisionKind.HEALTHY),
        (fallen(0.95, 0.80, same_as="another"), DecisionKind.HEALTHY),
    ],
)
def test_a_slice_that_fell_is_investigated_without_an_alarm(slices, kind):
    """By its own drop, or against the promise where it is new; what repeats another slice adds nothing."""
    decision = decide(report(None, alarm=False), None, CONTRACT, slices=slices)
    assert decision.kind is kind
    assert "Where it fell." in decision.reason
    assert ("a slice fell: investigate" in decision.reason) == (kind is DecisionKind.INVESTIGATE)


def test_an_alarm_over_the_bounds_outweighs_a_slice():
    """The reason says both, and the numbers name the slice."""
    decision = decide(report(0.061), None, CONTRACT, slices=fallen(0.95, 0.80))
    assert decision.kind is DecisionKind.REDISTILL
    assert decision.reason.endswith("Re-distill. Where it fell.")
    assert decision.numbers["slices"] == "answered 'refund'"
