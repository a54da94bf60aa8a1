"""What a promise was measured on is kept with the groups that inputs fall into."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.artifact.predictor import Predictor
from coffey.core.errors import StoreUnavailable
from coffey.monitor.baseline import UNPLACED, load_baseline, measure_baseline, save_baseline
from coffey.stats.clusters import UNLIKE


@pytest.fixture(scope="module")
def predictor(distilled):
    space = distilled.load().workspace
    return Predictor.load(space.store / space.registry.resolve("champion").artifact, trust=space.trust)


@pytest.fixture(scope="module")
def measured(distilled, predictor):
    texts = distilled.known(200, seed=121)
    teacher = distilled.load().workspace.teacher.predict(texts)
    return texts, teacher, measure_baseline(predictor, texts, teacher)


def test_every_example_has_its_place_and_its_agreement(predictor, measured):
    """The student's own answers, whether the teacher gives the same, and tokens; half were fitted."""
    texts, teacher, baseline = measured
    said = predictor.predict(texts).argmax(axis=1)
    assert baseline.said == tuple(predictor.labels[index] for index in said)
    np.testing.assert_array_equal(baseline.agreement, said == teacher.argmax(axis=1))
    assert (baseline.weight == 1).all()
    assert baseline.labels == predictor.labels
    assert (baseline.cluster == UNPLACED).mean() == 0.5
    assert 0 < (baseline.cluster == UNLIKE).sum() <= 4
    assert list(baseline.edges) == sorted(set(baseline.edges))


def test_later_texts_fall_into_the_same_groups(distilled, predictor, measured):
    """Texts of the same kind lie in clusters; those with new words are unlike more often."""
    _, _, baseline = measured
    known, new = (
        baseline.places(predictor, texts)
        for texts in (distilled.known(100, seed=122), distilled.new(100, seed=123))
    )
    assert (known.cluster == UNLIKE).mean() < 0.15
    assert (known.cluster == UNLIKE).mean() < (new.cluster == UNLIKE).mean()
    assert known.tokens.min() > 0


def test_requests_that_a_text_stands_for_are_its_weight(predictor, measured):
    """By the most that one text stands for."""
    texts, teacher, _ = measured
    found = measure_baseline(predictor, texts[:4], teacher[:4], counts=(1, 4, 2, 1))
    assert found.weight.tolist() == [0.25, 1.0, 0.5, 0.25]
    assert measure_baseline(predictor, texts[:1], teacher[:1]) is None


def test_a_kept_baseline_comes_back(measured, tmp_path):
    """The same numbers and names, and clusters that say the same; nothing is there before."""
    path = tmp_path / "references" / "b.npz"
    assert load_baseline(path) is None
    _, _, baseline = measured
    save_baseline(path, baseline)
    kept = load_baseline(path)
    assert (kept.labels, kept.said) == (baseline.labels, baseline.said)
    for name in ("agreement", "weight", "tokens", "cluster", "edges"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(baseline, name))
    vectors = np.random.default_rng(1).standard_normal((20, baseline.clusters.centres.shape[1]))
    np.testing.assert_array_equal(kept.clusters.of(vectors), baseline.clusters.of(vectors))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04damaged", b"no baseline at all"])
def test_a_damaged_baseline_is_named(tmp_path, content):
    """The error says which file."""
    path = tmp_path / "baseline.npz"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"baseline\.npz"):
        load_baseline(path)
