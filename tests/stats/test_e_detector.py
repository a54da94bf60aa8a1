"""The alarm keeps its promise under every way of sampling audits, and sees drops soon."""

import math

import numpy as np
import pytest

from coffey.stats.e_detector import EDetector, bets, log_factors, log_shares
from coffey.stats.intervals import wilson

MEAN = 0.9


def alarms(scores, weights, *, mean, average_run_length):
    """Index of the first alarm of each run [runs, n] (n when there is none), by the detector's own parts."""
    runs, n = scores.shape
    sums = np.zeros((runs, len(bets(mean))))
    first = np.full(runs, n)
    for t in range(n):
        logs = log_factors(weights[:, t] * (mean - scores[:, t]), bets=bets(mean)) + sums
        sums = np.logaddexp(0, logs)
        evidence = np.logaddexp.reduce(logs + log_shares(), axis=1)
        first[(evidence >= math.log(average_run_length)) & (first == n)] = t
    return first


def audited(rng, runs, n, *, easy, hard, hard_share=0.2):
    """Scores and weights of n audits a run, drawn five times as often where the input is hard."""
    probability = np.array([0.1, 0.5])
    chance_hard = hard_share * 0.5 / (hard_share * 0.5 + (1 - hard_share) * 0.1)
    is_hard = rng.random((runs, n)) < chance_hard
    scores = (rng.random((runs, n)) < np.where(is_hard, hard, easy)).astype(float)
    return scores, 0.1 / probability[is_hard.astype(int)]


@pytest.mark.parametrize("sampling", ["uniform", "by difficulty"])
def test_false_alarms_are_no_more_than_promised(sampling):
    """500 runs of 1000 audits exactly on the boundary: at most 1000 / 5000 of them raise an alarm."""
    rng = np.random.default_rng(11)
    if sampling == "uniform":
        scores, weights = (rng.random((500, 1000)) < MEAN).astype(float), np.ones((500, 1000))
    else:
        scores, weights = audited(rng, 500, 1000, easy=0.95, hard=0.7)
        assert pytest.approx(MEAN) == 0.2 * 0.7 + 0.8 * 0.95
    false = int((alarms(scores, weights, mean=MEAN, average_run_length=5000) < 1000).sum())
    assert wilson(false, 500).low <= 1000 / 5000
    assert false > 0, "a promise that is never used up is not tested at its boundary"


def test_ignoring_the_weights_would_break_the_promise():
    """The same audits without weights raise far more alarms: the weights are what makes it valid."""
    rng = np.random.default_rng(12)
    scores, weights = audited(rng, 200, 1000, easy=0.95, hard=0.7)
    unweighted = alarms(scores, np.ones_like(weights), mean=MEAN, average_run_length=5000) < 1000
    assert unweighted.mean() > 0.5


def test_every_factor_has_at_most_the_expectation_one():
    """At the boundary the expected factor of a request is exactly 1, for every bet and sampling by input."""
    chance, agree, share = np.array([0.1, 0.5]), np.array([0.95, 0.7]), np.array([0.8, 0.2])
    expected = np.zeros(len(bets(MEAN)))
    for p, q, s in zip(chance, agree, share, strict=True):
        for score, likely in ((1.0, q), (0.0, 1 - q)):
            factor = np.exp(log_factors(0.1 / p * (MEAN - score), bets=bets(MEAN)))
            expected += s * likely * (p * factor + (1 - p))
    np.testing.assert_allclose(expected, 1.0, atol=1e-12)


@pytest.mark.parametrize("mean", [0.001, 0.05, 0.5, 0.9, 0.999])
def test_factors_stay_positive(mean):
    """No score loses everything, whatever is promised."""
    for score in (0.0, 1.0):
        assert np.isfinite(log_factors(mean - score, bets=bets(mean))).all()
    assert bets(mean).max() < 1 / (1 - mean)
    assert np.exp(log_shares()).sum() == pytest.approx(1.0)


def test_larger_drops_are_seen_sooner():
    """From 0.90, most drops of 3 points are seen within 4000 labels and of 10 points within 600."""
    rng = np.random.default_rng(13)
    medians = []
    for drop, n in ((0.03, 4000), (0.10, 600)):
        scores = (rng.random((60, n)) < MEAN - drop).astype(float)
        first = alarms(scores, np.ones_like(scores), mean=MEAN, average_run_length=365_000)
        assert (first < n).mean() > 0.8
        medians.append(np.median(first))
    assert medians[1] < medians[0] / 3


def test_one_at_a_time_equals_all_at_once():
    """`update` gives the evidence and the alarm of the vectorized simulation."""
    rng = np.random.default_rng(14)
    scores = (rng.random(600) < 0.7).astype(float)
    detector = EDetector(MEAN, average_run_length=5000)
    for score in scores:
        detector.update(score)
    expected = alarms(scores[None], np.ones((1, 600)), mean=MEAN, average_run_length=5000)
    assert detector.alarm_at == expected[0] < 600


def test_the_change_is_dated():
    """After 1000 good and 200 bad scores, the estimated change is near 1000."""
    rng = np.random.default_rng(15)
    detector = EDetector(MEAN, average_run_length=365_000)
    for score in np.concatenate([rng.random(1000) < 0.93, rng.random(200) < 0.7]):
        detector.update(float(score))
    assert detector.alarm
    assert 960 <= detector.change <= 1040


def test_evidence_neither_overflows_nor_dips_under_zero():
    """20,000 disagreements in a row are a large finite number, 5000 agreements are hardly any evidence."""
    bad, good = (EDetector(0.99, average_run_length=1000) for _ in range(2))
    for _ in range(20_000):
        bad.update(0.0)
    for _ in range(5000):
        good.update(1.0)
    assert 10_000 < bad.log_evidence < math.inf
    assert 0 <= good.log_evidence < math.log(100)
    assert (good.alarm, good.change) == (False, 5000)


def test_requests_between_audits_count_as_much_as_audits_of_them():
    """The factors of passed requests are multiplied into the next audit's; without any, nothing changes."""
    plain, passed = (EDetector(MEAN, average_run_length=1000) for _ in range(2))
    plain.take(0.02)
    passed.take(0.02, np.array([0.01, -0.01]), np.array([0.0, 0.0]))
    assert plain.log_evidence == passed.log_evidence
    passed.take(0.02, np.array([0.01, -0.01]), np.array([50.0, 0.0]))
    plain.take(0.02)
    assert passed.log_evidence > plain.log_evidence


def test_all_at_once_is_one_after_another():
    """However audits are cut into parts: evidence, alarm and change are those of `take`."""
    rng = np.random.default_rng(16)
    missed = rng.random(3000) < np.r_[np.full(2000, 0.07), np.full(1000, 0.2)]
    gains = np.where(missed, MEAN, MEAN - 1)
    passed, counts = rng.normal(0, 1e-3, (3000, 2)), rng.integers(0, 20, (3000, 2)).astype(float)
    single, parts = (EDetector(MEAN, average_run_length=5000) for _ in range(2))
    evidence = []
    for gain, more, times in zip(gains, passed, counts, strict=True):
        single.take(gain, more, times)
        evidence.append(single.log_evidence)
    found = [
        parts.take_all(gains[start:stop], passed[start:stop], counts[start:stop])
        for start, stop in ((0, 1), (1, 1), (1, 1700), (1700, 3000))
    ]
    np.testing.assert_allclose(np.concatenate(found), evidence, atol=1e-9)
    assert (parts.count, parts.alarm_at, parts.change) == (single.count, single.alarm_at, single.change)
    assert parts.log_evidence == pytest.approx(single.log_evidence)


def test_a_gain_that_could_lose_everything_is_refused():
    """A loss over the stated reach would make evidence negative."""
    detector = EDetector(MEAN, average_run_length=1000, spread=0.05, reach=0.2)
    detector.take(-0.2)
    with pytest.raises(ValueError, match="gain"):
        detector.take(-0.22)


def test_values_out_of_range_are_refused():
    """Scores, weights, means and run lengths outside their range would void the promise."""
    detector = EDetector(MEAN, average_run_length=100)
    for score, weight in ((1.1, 1), (-0.1, 1), (math.nan, 1), (0.5, 0), (0.5, 1.5)):
        with pytest.raises(ValueError, match="expected"):
            detector.update(score, weight)
    for mean, length in ((0, 10), (1, 10), (0.5, 0.5)):
        with pytest.raises(ValueError, match="expected"):
            EDetector(mean, average_run_length=length)
