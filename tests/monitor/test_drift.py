"""Drift is measured on five things at once, corrected together, and told in one sentence."""

import dataclasses

import numpy as np

from coffey.monitor.drift import LEAST, Sample, measure_drift

NAMES = ["features", "confidence", "length", "unknown_share", "labels"]


def sample(seed, n=250, *, shift=0.0, confidence=0.9, length=12, unknown=0.02, mix=(0.5, 0.3, 0.2)):
    """Requests with these means."""
    rng = np.random.default_rng(seed)
    return Sample(
        features=rng.normal(shift, 1, size=(n, 8)).astype(np.float32),
        confidence=np.clip(rng.normal(confidence, 0.05, n), 0, 1).astype(np.float32),
        length=rng.poisson(length, n),
        unknown_share=rng.binomial(20, unknown, n) / 20,
        labels=rng.choice(["pay", "card", "other"], size=n, p=mix).tolist(),
    )


def test_requests_from_the_same_source_did_not_drift():
    """Of 10 comparisons without drift, at most one is called drift."""
    found = [measure_drift(sample(seed), sample(1000 + seed)) for seed in range(10)]
    assert sum(report.drifted for report in found) <= 1
    assert found[0].sentence.startswith("No drift between 250 reference and 250 recent requests")
    assert [measure.name for measure in found[0].measures] == NAMES


def test_what_moved_is_named_with_numbers():
    """Longer inputs with unknown words and another mix are found; what stayed is not."""
    report = measure_drift(sample(1), sample(2, length=30, unknown=0.1, mix=(0.2, 0.3, 0.5)))
    moved = {measure.name for measure in report.measures if measure.moved}
    assert moved == {"length", "unknown_share", "labels"}
    assert report.drifted
    assert "mean input length went from 11.5" in report.sentence
    assert "to 31.2" in report.sentence
    assert "adjusted p < 0.001. Also moved: unknown_share, labels." in report.sentence


def test_each_measure_can_be_the_one_that_moved():
    """A shift of one thing alone is reported as that thing, with its values before and after."""
    cases = {
        "features": {"shift": 0.6},
        "confidence": {"confidence": 0.8},
        "unknown_share": {"unknown": 0.2},
        "labels": {"mix": (0.1, 0.3, 0.6)},
    }
    for name, change in cases.items():
        report = measure_drift(sample(3), sample(4, **change))
        assert [measure.name for measure in report.measures if measure.moved] == [name]
        assert "Also moved" not in report.sentence
    labels = measure_drift(sample(3), sample(4, mix=(0.1, 0.3, 0.6))).measures[-1]
    assert "'pay' most" in labels.text or "'other' most" in labels.text
    assert labels.reference != labels.recent


def test_a_p_value_that_is_not_tiny_is_written_out():
    """A weak but significant drift states its p-value."""
    rng = np.random.default_rng(5)
    labels = ["a"] * 70 + ["b"] * 30
    base = dataclasses.replace(sample(6, 100), labels=labels)
    recent = dataclasses.replace(base, labels=rng.permutation(["a"] * 46 + ["b"] * 54).tolist())
    report = measure_drift(base, recent)
    assert [measure.name for measure in report.measures if measure.moved] == ["labels"]
    assert ", adjusted p = 0.0" in report.sentence


def test_corrections_only_raise_p_values():
    """Holm's correction never makes a p-value smaller."""
    report = measure_drift(sample(7), sample(8, length=14))
    assert all(measure.adjusted_p >= measure.shift.p_value for measure in report.measures)


def test_small_samples_are_not_judged():
    """Under LEAST requests on a side there is no verdict, and it says so."""
    for one, two in ((LEAST - 1, 100), (100, 0)):
        report = measure_drift(sample(9, one), sample(10, two))
        assert (report.drifted, report.measures, report.reference, report.recent) == (False, (), one, two)
        assert "was not measured" in report.sentence
