"""What inputs look like to a student, kept to compare with later."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.artifact.predictor import Predictor
from coffey.core.errors import StoreUnavailable
from coffey.monitor.drift import measure_drift
from coffey.monitor.sample import ROWS, load_sample, sample_requests, save_sample, thin


@pytest.fixture(scope="session")
def predictor(distilled):
    space = distilled.load().workspace
    return Predictor.load(space.store / space.registry.resolve("champion").artifact, trust=space.trust)


def test_a_sample_is_what_the_student_makes_of_the_texts(distilled, predictor):
    """One row a text; words that had to be spelled count as unknown."""
    known = sample_requests(predictor, distilled.known(60, seed=111))
    new = sample_requests(predictor, distilled.new(60, seed=112))
    assert len(known.features) == len(known.confidence) == len(known.length) == len(known.labels) == 60
    assert known.unknown_share.max() == 0
    assert new.unknown_share.min() > 0
    assert set(known.labels) <= set(predictor.labels)
    assert measure_drift(known, new).drifted
    assert not measure_drift(known, sample_requests(predictor, distilled.known(60, seed=113))).drifted


def test_a_kept_sample_comes_back(distilled, predictor, tmp_path):
    """The same numbers, features to half precision; nothing is there before."""
    path = tmp_path / "references" / "sample.npz"
    assert load_sample(path) is None
    sample = sample_requests(predictor, distilled.known(20, seed=114))
    save_sample(path, sample)
    kept = load_sample(path)
    assert list(kept.labels) == list(sample.labels)
    assert (kept.length == sample.length).all()
    assert np.allclose(kept.confidence, sample.confidence)
    assert np.allclose(kept.features, sample.features, atol=1e-2)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04damaged", b"no sample at all"])
def test_a_damaged_sample_is_named(tmp_path, content):
    """The error says which file."""
    path = tmp_path / "sample.npz"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"sample\.npz"):
        load_sample(path)


def test_many_texts_are_thinned_evenly(distilled, predictor):
    """First and last stay; the number is bounded."""
    texts = [str(number) for number in range(5 * ROWS)]
    chosen = thin(texts, ROWS)
    assert (len(chosen), chosen[0], chosen[-1]) == (ROWS, texts[0], texts[-1])
    assert thin(texts[:5], ROWS) == texts[:5]
