"""A head is the optimum of its objective, and reads back as it was."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy
import torch

from coffey.core.errors import ConfigError, UnknownFormat
from coffey.teacher.embedding import embed
from coffey.teacher.head import fit_head, fit_independent_head, load_head, save_head

NAMES = ["a", "b", "c"]


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 300)
    features = rng.standard_normal((300, 8)).astype(np.float32)
    features[np.arange(300), targets] += 1.5
    return features, targets


def test_the_fit_agrees_with_scikit_learn(problem):
    """The same objective (C = 1 / (l2 n)) has the same optimum."""
    linear = pytest.importorskip("sklearn.linear_model")
    features, targets = problem
    peer = linear.LogisticRegression(C=1 / (1e-3 * 300), tol=1e-10, max_iter=5000).fit(features, targets)
    head = fit_head(features, targets, classes=NAMES, l2=1e-3)
    np.testing.assert_allclose(head.weight, peer.coef_, atol=2e-4)


def test_the_seed_does_not_decide_the_outcome(problem):
    """A convex problem has one optimum; equal seeds give equal bytes."""
    features, targets = problem
    one, other = (fit_head(features, targets, classes=NAMES, l2=1e-3, seed=seed) for seed in (1, 2))
    np.testing.assert_allclose(one.weight, other.weight, atol=2e-3)
    np.testing.assert_allclose(one.bias, other.bias, atol=2e-3)
    again = fit_head(features, targets, classes=NAMES, l2=1e-3, seed=1)
    assert again.weight.tobytes() == one.weight.tobytes()


def test_separable_classes_converge_too():
    """Without noise the pull towards 0 alone keeps the weights finite."""
    features = np.eye(3, dtype=np.float32).repeat(5, axis=0)
    targets = np.arange(3).repeat(5)
    head = fit_head(features, targets, classes=NAMES)
    assert (head.linear()(torch.from_numpy(features)).argmax(dim=1).numpy() == targets).all()


def test_what_does_not_fit_is_refused(problem):
    """Shapes, and targets that are no positions in the classes."""
    features, targets = problem
    with pytest.raises(ValueError, match="do not fit"):
        fit_head(features, targets[:-1], classes=NAMES)
    with pytest.raises(ValueError, match="2 classes"):
        fit_head(features, targets, classes=NAMES[:2])


def test_a_head_reads_back_as_it_was(problem, tmp_path):
    """Weights, bias and names, other alphabets included."""
    head = fit_head(*problem, classes=["ä", "b,c", "日本"], l2=1e-3)
    save_head(tmp_path / "head.safetensors", head)
    found = load_head(tmp_path / "head.safetensors")
    assert found.labels == head.labels
    np.testing.assert_array_equal(found.weight, head.weight)
    np.testing.assert_array_equal(found.bias, head.bias)


def test_what_is_no_head_is_refused_by_name(tmp_path):
    """A missing file, a torn file, other tensors, too few names, a later format."""
    path = tmp_path / "head.safetensors"
    tensors = {"weight": np.zeros((2, 4), np.float32), "bias": np.zeros(2, np.float32)}
    for make in (
        lambda: None,
        lambda: path.write_bytes(b"torn"),
        lambda: path.write_bytes(safetensors.numpy.save(tensors)),
        lambda: path.write_bytes(
            safetensors.numpy.save(tensors, metadata={"coffey.head": "1", "labels": '["a"]'})
        ),
    ):
        make()
        with pytest.raises(ConfigError, match=r"teacher\.head"):
            load_head(path)
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"coffey.head": "3", "labels": "[]"}))
    with pytest.raises(UnknownFormat):
        load_head(path)


def test_embeddings_do_not_depend_on_the_batch(embedder, texts):
    """Row i belongs to text i, alone or among others, with length 1."""
    together = embed(str(embedder), texts, threads=1, batch_size=3)
    alone = np.concatenate([embed(str(embedder), [text], threads=1) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_independent_labels_are_a_logistic_regression_each(problem, tmp_path):
    """Each label's row is what it would be without the others; the file says that labels are independent."""
    features, targets = problem
    sets = np.stack([targets == 0, targets != 2], axis=1).astype(np.int64)
    both = fit_independent_head(features, sets, classes=("a", "b"), l2=1e-3)
    alone = fit_independent_head(features, sets[:, :1], classes=("a",), l2=1e-3)
    np.testing.assert_allclose(both.weight[0], alone.weight[0], atol=2e-3)
    path = tmp_path / "head.safetensors"
    save_head(path, both)
    found = load_head(path)
    assert found.independent
    assert found.labels == ("a", "b")
    with pytest.raises(ValueError, match="0 and 1"):
        fit_independent_head(features, sets * 2, classes=("a", "b"))
    with pytest.raises(ValueError, match="2 classes"):
        fit_independent_head(features, sets[:, :1], classes=("a", "b"))
