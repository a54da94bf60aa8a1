"""Audits aimed by confidence and the requests between them give narrower intervals that hold as often."""

import numpy as np
import pytest

from coffey.stats.active_mean import ActiveAudits, active_sequence, active_share
from coffey.stats.confidence_bins import ConfidenceBins
from coffey.stats.confidence_sequence import ConfidenceSequence
from coffey.stats.intervals import weighted_share, wilson

SHARE = np.array([0.03, 0.03, 0.06, 0.12, 0.25, 0.51])
LEVEL = np.array([0.55, 0.72, 0.85, 0.93, 0.975, 0.995])
BINS = ConfidenceBins.of(
    edges=(0.5, 0.6, 0.7, 0.8, 0.9), agreement=tuple(LEVEL.tolist()), share=tuple(SHARE.tolist())
)
NONE = np.zeros(0)


def drawn(rng, count, *, bins=BINS, truth=LEVEL, share=SHARE, rate=0.02):
    """Audits of requests with these shares and agreements by bin, drawn by `bins`, with what passed."""
    chance = np.minimum(1, rate * np.array(bins.lift))
    audited = float(share @ chance)
    index = rng.choice(len(share), size=count, p=share * chance / audited)
    passed = rng.multinomial(rng.geometric(audited, size=count) - 1, share * (1 - chance) / (1 - audited))
    score = (rng.random(count) < np.asarray(truth)[index]).astype(float)
    return ActiveAudits(bins, score, index, np.full(count, rate), chance[index], passed.astype(float))


def weights_of(audits):
    return audits.probability.min() / audits.probability


def width(interval):
    return interval.high - interval.low


WORLDS = {
    "right bins": (BINS, LEVEL, SHARE),
    "bins upside down": (
        ConfidenceBins.of(edges=BINS.edges, agreement=BINS.agreement[::-1], share=BINS.share),
        LEVEL,
        SHARE,
    ),
    "agreement fell everywhere": (BINS, LEVEL - 0.1, SHARE),
    "unsure traffic grew": (BINS, LEVEL, np.array([0.15, 0.1, 0.1, 0.1, 0.2, 0.35])),
}


@pytest.mark.parametrize("name", WORLDS)
def test_one_look_holds_as_often_as_stated(name):
    """Of 400 windows of 200 audits about 95 % of the intervals hold the truth, whatever the bins claim; where
    they are upside down, and audits go where no errors are, at least 90 %."""
    bins, truth, share = WORLDS[name]
    rng = np.random.default_rng(201)
    found = [active_share(drawn(rng, 200, bins=bins, truth=truth, share=share)) for _ in range(400)]
    held = sum(one.low <= share @ truth <= one.high for one in found)
    assert wilson(held, 400).high >= (0.9 if name == "bins upside down" else 0.95)


@pytest.mark.parametrize("name", WORLDS)
def test_the_sequence_hardly_ever_excludes_the_truth(name):
    """Of 60 runs at most 5 % exclude the truth at any of four looks."""
    bins, truth, share = WORLDS[name]
    rng = np.random.default_rng(202)
    missed = 0
    for _ in range(60):
        audits = drawn(rng, 1000, bins=bins, truth=truth, share=share)
        looks = (
            active_sequence(audits.part(0, end), scores=NONE, weights=NONE) for end in range(250, 1001, 250)
        )
        missed += any(not one.low <= share @ truth <= one.high for one in looks)
    assert wilson(missed, 60).low <= 0.05


def test_it_is_narrower_than_by_weights_alone():
    """At one look and at every look: the median width against the same audits weighted, and uniform ones."""
    rng = np.random.default_rng(203)
    looks, sequences = [], []
    for _ in range(40):
        audits = drawn(rng, 1000)
        uniform = (rng.random(1000) < SHARE @ LEVEL).astype(float)
        weighted, even = ConfidenceSequence(), ConfidenceSequence()
        weighted.extend(audits.score.tolist(), weights_of(audits).tolist())
        even.extend(uniform.tolist(), [1.0] * 1000)
        active = active_sequence(audits, scores=NONE, weights=NONE)
        sequences.append([width(active), width(weighted.interval()), width(even.interval())])
        looks.append(
            [
                width(active_share(audits)),
                width(weighted_share(audits.score, weights_of(audits))),
                width(wilson(uniform.sum(), 1000)),
            ]
        )
    for widths, to_weighted, to_even in ((looks, 0.85, 0.85), (sequences, 1.0, 0.9)):
        active, weighted, even = np.median(widths, axis=0)
        assert active < to_weighted * weighted
        assert active < to_even * even


def test_audits_of_before_are_taken_by_weight():
    """A log that holds uniform audits first: the interval is of both, and narrower than of either."""
    rng = np.random.default_rng(204)
    audits = drawn(rng, 600)
    scores = (rng.random(600) < SHARE @ LEVEL).astype(float)
    both = active_sequence(audits, scores=scores, weights=np.ones(600))
    alone = active_sequence(audits, scores=NONE, weights=NONE)
    assert width(both) < width(alone)
    assert both.low < SHARE @ LEVEL < both.high


def test_the_estimate_is_unbiased_with_wrong_bins():
    """The mean over 200 windows is the truth to three standard errors, with bins upside down."""
    bins, truth, share = WORLDS["bins upside down"]
    rng = np.random.default_rng(205)
    values = [drawn(rng, 200, bins=bins, truth=truth, share=share).mean for _ in range(200)]
    assert abs(np.mean(values) - share @ truth) < 3 * np.std(values) / np.sqrt(200)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_unanimous_audits_stay_within_bounds(score):
    """All agree or none does: intervals within [0, 1], with the value in them."""
    audits = drawn(np.random.default_rng(206), 50, truth=np.full(6, score))
    for found in (active_share(audits), active_sequence(audits, scores=NONE, weights=NONE)):
        assert 0 <= found.low <= found.value <= found.high <= 1
    assert active_share(audits.part(0, 0)).high == 1.0
