"""Agreement is judged against the contract by a fold over audits, alarms at drops and stays calm without."""

import dataclasses
import math

import numpy as np
import pytest

from coffey.core.records import Audit, Contract, Interval
from coffey.monitor.agreement import POINTS, WINDOW, audit_weights, watch_agreement
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.intervals import wilson

CONTRACT = Contract(wilson(934, 1000), 1000, "holdout", max_drop=0.02, redistill_drop=0.03)


def audits(agree, probability=0.1):
    """Audits with these outcomes, a second apart, all or each with this probability."""
    chances = np.broadcast_to(probability, len(agree))
    return [
        Audit(
            id=f"r{i}",
            unix_s=1000.0 + i,
            model="m",
            key="k",
            text="t",
            student_label="a",
            teacher_label="a" if same else "b",
            agree=bool(same),
            confidence=0.9,
            probability=float(chance),
            teacher="f",
        )
        for i, (same, chance) in enumerate(zip(agree, chances, strict=True))
    ]


def test_a_kept_contract_raises_no_alarm():
    """1500 audits at the promised agreement: no alarm, and the interval holds the truth."""
    rng = np.random.default_rng(51)
    report = watch_agreement(audits(rng.random(1500) < 0.934), CONTRACT, average_run_length=365_000)
    assert (report.alarm, report.alarm_index, report.alarm_unix_s) == (False, None, None)
    assert report.overall.low <= 0.934 <= report.overall.high
    assert report.floor == CONTRACT.agreement.low


def test_a_drop_raises_an_alarm_and_is_dated_and_measured():
    """After 800 good audits agreement falls to 0.80: there is an alarm, dated to within 60 audits."""
    rng = np.random.default_rng(52)
    agree = np.r_[rng.random(800) < 0.934, rng.random(400) < 0.8]
    report = watch_agreement(audits(agree), CONTRACT, average_run_length=365_000)
    assert report.alarm
    assert 800 < report.alarm_index < 1200
    assert report.alarm_unix_s == 1000.0 + report.alarm_index
    change = report.change
    assert abs(change.index - 800) < 60
    assert (change.id, change.unix_s) == (f"r{change.index}", 1000.0 + change.index)
    assert change.audits == 1200 - change.index
    assert change.agreement.low <= 0.8 <= change.agreement.high
    assert change.drop == pytest.approx(CONTRACT.agreement.value - change.agreement.value)


def test_the_alarm_stays_after_agreement_recovers():
    """The fold never restarts in silence: the first crossing is kept, and the change is over."""
    agree = np.r_[np.zeros(50), np.ones(3000)]
    report = watch_agreement(audits(agree), CONTRACT, average_run_length=1000)
    assert report.alarm_index < 50
    assert report.log_evidence < report.log_threshold
    assert report.change is None


def test_looking_earlier_gives_a_prefix():
    """The alarm of a prefix of the audits is the same alarm: looking more often changes nothing."""
    rng = np.random.default_rng(53)
    agree = rng.random(600) < 0.75
    whole = watch_agreement(audits(agree), CONTRACT, average_run_length=10_000)
    at = whole.alarm_index
    before = watch_agreement(audits(agree[:at]), CONTRACT, average_run_length=10_000)
    then = watch_agreement(audits(agree[: at + 1]), CONTRACT, average_run_length=10_000)
    assert (before.alarm, then.alarm_index) == (False, at)


def test_unequal_probabilities_are_weighed():
    """Hard inputs audited five times as often do not look like a drop; ignoring that would."""
    rng = np.random.default_rng(54)
    hard = rng.random(2000) < 0.1 / 0.18
    agree = rng.random(2000) < np.where(hard, 0.75, 0.98)
    weighed = audits(agree, np.where(hard, 0.5, 0.1))
    report = watch_agreement(weighed, CONTRACT, average_run_length=100_000)
    assert not report.alarm
    assert report.overall.low <= 0.934 <= report.overall.high
    unweighed = [dataclasses.replace(audit, probability=0.1) for audit in weighed]
    assert watch_agreement(unweighed, CONTRACT, average_run_length=100_000).alarm


def test_no_audit_is_no_evidence():
    """An empty fold says that nothing is known."""
    report = watch_agreement([], CONTRACT, average_run_length=1000)
    assert (report.audits, report.alarm, report.change, report.series) == (0, False, None, ())
    assert (report.overall.low, report.overall.high, report.log_evidence) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize("low", [0.0, 1.0])
def test_promises_at_the_edge_can_be_watched(low):
    """A promise of nothing never alarms; a promise of certainty does, and nothing overflows."""
    contract = dataclasses.replace(CONTRACT, agreement=Interval(low, low, low))
    report = watch_agreement(audits(np.zeros(300)), contract, average_run_length=1e6)
    assert report.alarm is (low == 1.0)
    assert math.isfinite(report.log_evidence)


@pytest.mark.parametrize("count", [1, 7, POINTS, POINTS + 1, 1003])
def test_the_series_ends_now(count):
    """Points are evenly spaced, about POINTS at most, and the last one is the present."""
    report = watch_agreement(audits(np.ones(count)), CONTRACT, average_run_length=1000)
    assert report.series[-1].audits == count
    assert 1 <= len(report.series) < 2 * POINTS
    assert len({b.audits - a.audits for a, b in zip(report.series, report.series[1:], strict=False)}) <= 1
    assert report.series[-1].log_evidence == report.log_evidence


def test_the_series_looks_back_over_a_window():
    """A point shows the agreement of the last WINDOW audits, not of all."""
    report = watch_agreement(audits(np.r_[np.ones(500), np.zeros(WINDOW)]), CONTRACT, average_run_length=1000)
    assert report.series[-1].agreement.value == 0.0
    assert report.overall.value == pytest.approx(500 / 700)


def test_a_known_least_probability_scales_the_weights():
    """p_min may be stated in advance; an audit below it is a contradiction."""
    found = audits(np.ones(2), np.array([0.2, 0.4]))
    np.testing.assert_allclose(audit_weights(found), [1, 0.5])
    np.testing.assert_allclose(audit_weights(found, 0.1), [0.5, 0.25])
    with pytest.raises(ValueError, match="probability"):
        audit_weights(found, 0.3)
    with pytest.raises(ValueError, match="above 0"):
        audit_weights(audits(np.ones(1), 0.0))


BINS = ConfidenceBins.of(edges=(0.8,), agreement=(0.7, 0.98), share=(0.15, 0.85))


def aimed(seed, requests, truth, rate=0.05):
    """Audits of requests of both bins that agree as often as `truth` says, with what passed between them."""
    rng = np.random.default_rng(seed)
    index = rng.choice(2, size=requests, p=BINS.share)
    agree = rng.random(requests) < np.array(truth)[index]
    chance = rate * np.array(BINS.lift)[index]
    at = np.flatnonzero(rng.random(requests) < chance)
    totals = np.vstack([np.zeros(2), np.cumsum(np.eye(2)[index], axis=0)])
    passed = np.diff(totals[np.r_[0, at]], axis=0)
    passed[1:] -= np.eye(2)[index[at[:-1]]]
    return [
        dataclasses.replace(
            audit, confidence=(0.5, 0.9)[index[n]], rate=rate, passed=tuple(counts), unix_s=100.0 * n
        )
        for audit, n, counts in zip(audits(agree[at], chance[at]), at, passed.tolist(), strict=True)
    ]


def test_aimed_audits_keep_calm_and_see_a_drop():
    """At the promise there is no alarm; a drop of 10 points is seen, sooner than by their weights alone."""
    kept = watch_agreement(aimed(55, 20_000, (0.7, 0.98)), CONTRACT, average_run_length=365_000, bins=BINS)
    assert not kept.alarm
    assert kept.aimed == kept.audits
    assert kept.overall.low <= 0.938 <= kept.overall.high
    fallen = aimed(56, 20_000, (0.3, 0.92))
    found = watch_agreement(fallen, CONTRACT, average_run_length=365_000, bins=BINS)
    plain = watch_agreement(fallen, CONTRACT, average_run_length=365_000)
    assert found.alarm_index < plain.alarm_index
    assert plain.aimed == 0


def test_confidence_that_broke_is_no_drop_by_itself():
    """Confidence says nothing any more, and agreement is what it was: no alarm."""
    found = [*aimed(57, 4000, (0.7, 0.98)), *aimed(60, 12_000, (0.935, 0.935))]
    report = watch_agreement(found, CONTRACT, average_run_length=20_000, bins=BINS)
    assert not report.alarm


def test_audits_from_before_aiming_are_taken_as_they_are():
    """A log that holds uniform audits and then aimed ones of the same champion is one fold."""
    early = audits(np.random.default_rng(58).random(300) < 0.94)
    late = aimed(59, 6000, (0.7, 0.98))
    report = watch_agreement([*early, *late], CONTRACT, average_run_length=365_000, bins=BINS)
    assert (report.audits, report.aimed) == (300 + len(late), len(late))
    assert not report.alarm


def test_estimates_take_in_what_passed_where_that_was_counted():
    """Windows and the whole are narrower with the requests between than by weights; where a window holds
    audits of before, it is weighted."""
    late = aimed(61, 12_000, (0.7, 0.98))
    active = watch_agreement(late, CONTRACT, average_run_length=365_000, bins=BINS)
    weighted = watch_agreement(late, CONTRACT, average_run_length=365_000)
    assert (active.overall.method, weighted.overall.method) == ("active-betting", "betting")
    assert {point.agreement.method for point in active.series} == {"active-wilson"}
    for one, other in (
        (active.overall, weighted.overall),
        (active.series[-1].agreement, weighted.series[-1].agreement),
    ):
        assert one.high - one.low < other.high - other.low
        assert one.low <= 0.938 <= one.high
    mixed = [*audits(np.ones(WINDOW // 2)), *late[:WINDOW]]
    report = watch_agreement(mixed, CONTRACT, average_run_length=365_000, bins=BINS)
    assert report.overall.method == "active-betting"
    methods = [point.agreement.method for point in report.series]
    assert (methods[0], methods[-1]) == ("weighted-wilson", "active-wilson")


def test_the_rate_of_audits_is_that_of_a_day_or_more():
    """10 audits an hour are 240 a day; of an hour alone no day follows."""
    found = [dataclasses.replace(one, unix_s=360.0 * n) for n, one in enumerate(audits(np.ones(481)))]
    assert watch_agreement(found, CONTRACT, average_run_length=1000).audits_per_day == pytest.approx(240)
    assert watch_agreement(found[:10], CONTRACT, average_run_length=1000).audits_per_day is None
