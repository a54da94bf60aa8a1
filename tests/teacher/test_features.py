"""Features are read once, checked, and gone on with."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.core.errors import StoreUnavailable
from coffey.core.progress import Silent
from coffey.teacher import features
from coffey.teacher.checkpoint import CheckpointTeacher
from coffey.teacher.features import decide_keeping, read_features


class Counting:
    """A real teacher whose texts are counted, and which can be made to fail."""

    def __init__(self, teacher, fail_after=None):
        self.teacher, self.asked, self.fail_after = teacher, [], fail_after

    def features(self, texts):
        if self.fail_after is not None and len(self.asked) >= self.fail_after:
            raise ConnectionError
        self.asked.extend(texts)
        return self.teacher.features(texts)


@pytest.fixture
def teacher(classifier):
    return CheckpointTeacher.load(str(classifier), threads=1, batch_size=3)


@pytest.fixture(autouse=True)
def parts_of_three(monkeypatch):
    monkeypatch.setattr(features, "PART", 3)
    monkeypatch.setattr(features, "_READ_BYTES_PER_S", 1e12)


def read(teacher, texts, folder):
    return read_features(teacher, texts, folder=folder, progress=Silent())


def test_the_last_layer_makes_the_teachers_answers_of_its_features(teacher, texts):
    """Features are what the last linear layer reads: with it they give the probabilities."""
    module = teacher.module()
    logits = module.linear(module.linear.weight.new_tensor(teacher.features(texts)))
    np.testing.assert_allclose(logits.softmax(-1).detach().numpy(), teacher.predict(texts), atol=1e-5)


def test_a_text_is_read_once(teacher, texts, tmp_path):
    """In whatever order and company it comes again, and twice in one call; rows belong to their texts."""
    counting = Counting(teacher)
    first = read(counting, [*texts, texts[0]], tmp_path)
    again = read(counting, texts[::-1], tmp_path)
    assert sorted(counting.asked) == sorted(texts)
    assert first.dtype == np.float16
    np.testing.assert_array_equal(again[::-1], first[:-1])
    np.testing.assert_array_equal(first[0], first[-1])
    np.testing.assert_allclose(first[:-1], teacher.features(texts), atol=2e-2)


def test_what_was_read_before_a_crash_is_kept(teacher, texts, tmp_path):
    """The second run asks for the parts that the first did not finish, and for no others."""
    with pytest.raises(ConnectionError):
        read(Counting(teacher, fail_after=3), texts, tmp_path)
    counting = Counting(teacher)
    read(counting, texts, tmp_path)
    assert len(counting.asked) == len(texts) - 3


def test_a_changed_byte_is_refused(teacher, texts, tmp_path):
    """The part is named, and nothing is learned from it."""
    read(teacher, texts, tmp_path)
    path = sorted(tmp_path.glob("*.safetensors"))[0]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreUnavailable, match=path.name):
        read(teacher, texts, tmp_path)


def test_what_does_not_fit_or_does_not_pay_is_not_kept():
    """More than a tenth of the free disk, or slower to read than to ask again."""
    assert decide_keeping(1000, 384, seconds=60, free_bytes=1e9).kept
    assert not decide_keeping(1000, 384, seconds=60, free_bytes=1e6).kept
    assert not decide_keeping(10**9, 384, seconds=0.0, free_bytes=1e18).kept
