"""Vectors of one direction are one cluster; what points elsewhere is unlike all."""

import numpy as np

from coffey.stats.clusters import UNLIKE, fit_clusters


def around(rng, directions, each):
    """Vectors near unit directions, of any length."""
    many = np.repeat(directions, each, axis=0)
    noisy = many + 0.05 * rng.standard_normal(many.shape)
    return (noisy * rng.uniform(0.5, 2, (len(many), 1))).astype(np.float32)


def test_each_direction_is_a_cluster_and_others_are_unlike():
    """Four directions are told apart on vectors that were not fitted; a fifth is far from all."""
    rng = np.random.default_rng(91)
    axes = np.eye(16)
    fitted, held = around(rng, axes[:4], 40), around(rng, axes[:4], 40)
    clusters = fit_clusters(fitted, held, count=4, seed=1)
    found = clusters.of(held).reshape(4, 40)
    kinds = [set(row.tolist()) - {UNLIKE} for row in found]
    assert sorted(len(kind) for kind in kinds) == [1, 1, 1, 1]
    assert len(set.union(*kinds)) == 4
    assert (clusters.of(around(rng, axes[4:5], 40)) == UNLIKE).all()
    assert (found == UNLIKE).mean() <= 0.03


def test_the_same_seed_gives_the_same_clusters():
    """Centres are unit vectors, and there are no more of them than of distinct vectors."""
    rng = np.random.default_rng(92)
    vectors = rng.standard_normal((50, 8)).astype(np.float32)
    one, two = (fit_clusters(vectors, vectors, count=5, seed=3) for _ in range(2))
    assert (one.centres == two.centres).all()
    np.testing.assert_allclose(np.linalg.norm(one.centres, axis=1), 1, rtol=1e-5)
    alike = np.ones((10, 8), np.float32)
    assert len(fit_clusters(alike, alike, count=5, seed=3)) == 1
    assert fit_clusters(alike, alike, count=5, seed=3).of(np.zeros((0, 8))).tolist() == []
