"""Aimed audits keep the promise whatever the bins claim, and see a drop with fewer labels."""

import math

import numpy as np
import pytest

from coffey.stats.aiming import Aim
from coffey.stats.confidence_bins import UNIFORM, ConfidenceBins
from coffey.stats.e_detector import EDetector, bets, log_factors, log_shares
from coffey.stats.intervals import wilson

SHARE = np.array([0.03, 0.03, 0.06, 0.12, 0.25, 0.51])
LEVEL = np.array([0.55, 0.72, 0.85, 0.93, 0.975, 0.995])
MEAN = float(SHARE @ LEVEL)
RUNS, AUDITS, LENGTH = 500, 500, 2500


def bins_of(level=LEVEL, share=SHARE):
    return ConfidenceBins.of(edges=(0.5, 0.6, 0.7, 0.8, 0.9), agreement=tuple(level), share=tuple(share))


def probabilities(bins, rate):
    return np.minimum(1.0, rate * np.array(bins.lift))


def between_audits(rng, shape, chance, share):
    """Bin of each audit, and requests of each bin that were not audited since the one before."""
    rate = float(share @ chance)
    index = rng.choice(len(chance), size=shape, p=share * chance / rate)
    passed = rng.multinomial(rng.geometric(rate, size=shape) - 1, share * (1 - chance) / (1 - rate))
    return index, passed


def evidence_of(aim, index, scores, passed, *, rate, chance):
    """Logarithms of the factors of audits, with the requests before each: [runs, audits, bets]."""
    odds = bets(aim.mean, spread=aim.spread, reach=aim.reach)
    gains = aim.audited(scores, index, rate=rate, probability=chance[index])
    return log_factors(gains, bets=odds) + passed @ log_factors(aim.passed(rate), bets=odds)


def first_alarms(logs, length):
    """Audits before the alarm of each run; all of them where there was none."""
    runs, n = logs.shape[:2]
    sums, first = np.zeros((runs, logs.shape[2])), np.full(runs, n)
    for t in range(n):
        now = logs[:, t] + sums
        sums = np.logaddexp(0, now)
        crossed = np.logaddexp.reduce(now + log_shares(), axis=1) >= math.log(length)
        first[crossed & (first == n)] = t
    return first


def simulated(rng, *, truth, share=SHARE, claimed=LEVEL, rate=0.02, length=LENGTH, audits=AUDITS, runs=RUNS):
    """Alarms with bins that claim `claimed`, of traffic with other shares and agreements per bin."""
    bins = bins_of(claimed)
    aim, chance = Aim.of(bins, MEAN), probabilities(bins, rate)
    index, passed = between_audits(rng, (runs, audits), chance, np.asarray(share))
    scores = (rng.random(index.shape) < np.asarray(truth)[index]).astype(float)
    return first_alarms(evidence_of(aim, index, scores, passed, rate=rate, chance=chance), length)


def moved(share_of_unsure):
    """Traffic of which more is unsure, and the agreements at which its mean is the promised one still."""
    share = np.r_[SHARE[:3] * share_of_unsure / SHARE[:3].sum(), SHARE[3:]]
    share[3:] *= (1 - share_of_unsure) / SHARE[3:].sum()
    odds = LEVEL / (1 - LEVEL)
    low, high = -6.0, 6.0
    for _ in range(60):
        middle = (low + high) / 2
        level = odds * math.exp(middle) / (1 + odds * math.exp(middle))
        low, high = (middle, high) if share @ level < MEAN else (low, middle)
    return share, level


NULLS = {
    "right bins": {"truth": LEVEL},
    "often": {"truth": LEVEL, "rate": 0.3},
    "all bins alike": {"truth": np.full(6, MEAN)},
    "bins upside down": {"truth": LEVEL, "claimed": LEVEL[::-1]},
    "more unsure traffic": dict(zip(("share", "truth"), moved(0.25), strict=True)),
    "less unsure traffic": dict(zip(("share", "truth"), moved(0.02), strict=True)),
}


@pytest.mark.parametrize("name", NULLS)
def test_false_alarms_are_no_more_than_promised(name):
    """500 runs of 500 audits on the boundary, whatever the bins claim: at most 500 / 2500 raise an alarm."""
    false = int((simulated(np.random.default_rng(21), **NULLS[name]) < AUDITS).sum())
    assert wilson(false, RUNS).low <= AUDITS / LENGTH


def test_correlated_traffic_keeps_the_promise():
    """Traffic in bursts of one text, up to 12 times each, audited once in 100: 500 runs keep the promise."""
    rng, rate = np.random.default_rng(22), 0.01
    aim, chance = Aim.of(bins_of(), MEAN), probabilities(bins_of(), rate)
    shape = (RUNS, AUDITS * 20)
    index, size = rng.choice(6, size=shape, p=SHARE), rng.integers(1, 13, shape)
    score = (rng.random(shape) < LEVEL[index]).astype(float)
    drawn = rng.binomial(size, chance[index])
    before = np.cumsum(drawn, axis=1) - drawn
    assert (before[:, -1] >= AUDITS).all()
    cell = (np.arange(RUNS)[:, None] * AUDITS + before) * 6 + index
    kept = before < AUDITS
    passed = np.bincount(cell[kept], weights=(size - drawn)[kept], minlength=RUNS * AUDITS * 6)
    indices, scores = (
        np.array([np.repeat(row, times)[:AUDITS] for row, times in zip(of, drawn, strict=True)])
        for of in (index, score)
    )
    passed = passed.reshape(RUNS, AUDITS, 6)
    logs = evidence_of(aim, indices, scores, passed, rate=rate, chance=chance)
    false = int((first_alarms(logs, LENGTH) < AUDITS).sum())
    assert wilson(false, RUNS).low <= AUDITS / LENGTH


def test_every_gain_has_the_mean_of_the_drop():
    """Over audited or not, a gain's mean is rate x (m - agreement) in each bin, whatever its control is."""
    bins = bins_of()
    for rate in (0.01, 0.4, 1.0):
        aim, chance = Aim.of(bins, 0.9), probabilities(bins, rate)
        index, truth = np.arange(6), np.array([0.1, 0.9, 0.5, 1.0, 0.0, 0.7])
        hit, miss = (aim.audited(y, index, rate=rate, probability=chance) for y in (1.0, 0.0))
        mean = chance * (truth * hit + (1 - truth) * miss) + (1 - chance) * aim.passed(rate)
        np.testing.assert_allclose(mean, rate * (0.9 - truth), atol=1e-12)


@pytest.mark.parametrize("rate", [1e-4, 0.1, 0.4, 1.0])
def test_no_gain_is_under_the_reach(rate):
    """At every rate, clipped probabilities included, the largest bet keeps something."""
    bins = bins_of()
    for mean in (0.3, 0.9, 0.99):
        aim = Aim.of(bins, mean)
        worst = aim.audited(1.0, np.arange(6), rate=rate, probability=probabilities(bins, rate))
        assert min(worst.min(), aim.passed(rate).min()) >= -aim.reach - 1e-12


def test_lifts_keep_the_mean_rate_and_a_floor():
    """The mean probability over requests is the rate, and nobody's is under half of it."""
    found = np.array(bins_of().lift)
    assert SHARE @ found == pytest.approx(1.0)
    assert found.min() >= UNIFORM
    assert list(found) == sorted(found, reverse=True)


def test_a_drop_is_seen_with_fewer_labels_than_by_uniform_audits():
    """Errors that grow by 10 points where errors are: at least 30 % fewer labels, in the median."""
    truth = 1 - (1 - LEVEL) * (1 - MEAN + 0.10) / (1 - MEAN)
    rng = np.random.default_rng(23)
    aimed = simulated(rng, truth=np.clip(truth, 0, 1), length=365_000, audits=400, runs=120)
    scores = (rng.random((120, 400)) < MEAN - 0.10).astype(float)
    uniform = first_alarms(log_factors(MEAN - scores, bets=bets(MEAN)), 365_000)
    assert np.median(aimed) <= 0.7 * np.median(uniform)


def test_one_at_a_time_equals_all_at_once():
    """`EDetector.take` gives the alarm of the vectorized simulation."""
    rng, rate = np.random.default_rng(24), 0.05
    bins = bins_of()
    aim, chance = Aim.of(bins, MEAN), probabilities(bins, rate)
    index, passed = between_audits(rng, (1, 300), chance, SHARE)
    scores = (rng.random(index.shape) < 0.8).astype(float)
    expected = first_alarms(evidence_of(aim, index, scores, passed, rate=rate, chance=chance), LENGTH)[0]
    detector = EDetector(MEAN, average_run_length=LENGTH, spread=aim.spread, reach=aim.reach)
    for number, score, counts in zip(index[0], scores[0], passed[0], strict=True):
        gain = float(aim.audited(score, number, rate=rate, probability=chance[number]))
        detector.take(gain, aim.passed(rate), counts)
    assert detector.alarm_at == expected < 300
