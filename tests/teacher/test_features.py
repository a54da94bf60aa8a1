"""Features come with the answers, are checked, and gone on with; what is missing is asked for and paid."""

from __future__ import annotations

import numpy as np
import pytest

from coffey.core.errors import BudgetExhausted, StoreUnavailable, TeacherUnavailable
from coffey.core.ids import input_key
from coffey.core.progress import Silent
from coffey.teacher import features
from coffey.teacher.asking import UNPAID, ask
from coffey.teacher.budget import Price, Unit
from coffey.teacher.checkpoint import CheckpointTeacher
from coffey.teacher.features import FeatureKeeper, FeatureReader, decide_keeping
from coffey.teacher.purse import Purse
from coffey.teacher.spending import SPENDING, SpendingLog, read_spending
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import FixedTeacher

MANY = [f"text {number}" for number in range(20)]


class Counting:
    """A real teacher whose texts are counted, and which can be made to fail."""

    def __init__(self, teacher, fail_after=None):
        self.teacher, self.asked, self.fail_after = teacher, [], fail_after

    def predict_with_features(self, texts):
        if self.fail_after is not None and len(self.asked) >= self.fail_after:
            raise ConnectionError
        self.asked.extend(texts)
        return self.teacher.predict_with_features(texts)


class Showing(FixedTeacher):
    """A `FixedTeacher` that shows features: the key of a text as eight numbers."""

    def predict_with_features(self, texts):
        keys = [np.frombuffer(bytes.fromhex(input_key(text))[:8], dtype=np.uint8) for text in texts]
        return self.predict(texts), np.stack(keys).astype(np.float32)


class Heard(Silent):
    def __init__(self):
        self.lines = []

    def say(self, message):
        self.lines.append(message)


@pytest.fixture
def teacher(classifier):
    return CheckpointTeacher.load(str(classifier), threads=1, batch_size=3)


@pytest.fixture(autouse=True)
def parts_of_three(monkeypatch):
    monkeypatch.setattr(features, "PART", 3)
    monkeypatch.setattr(features, "ASKED", 3)
    monkeypatch.setattr(features, "_READ_BYTES_PER_S", 1e12)


def read(teacher, texts, folder, *, purse=UNPAID, progress=None):
    return FeatureReader(teacher, folder, progress or Silent(), purse=purse)(texts)


def label(teacher, store, texts, folder):
    """Answers in `store`, features in `folder`, in one pass."""
    return ask(teacher, store, texts, batch_size=4, features=FeatureKeeper(folder, len(texts), Silent()))


def answered(teacher, tmp_path):
    return LabelStore.open(tmp_path / "store", teacher)


def test_the_last_layer_makes_the_teachers_answers_of_its_features(teacher, texts):
    """Features are what the last linear layer reads: with it they give the probabilities."""
    module = teacher.module()
    logits = module.linear(module.linear.weight.new_tensor(teacher.predict_with_features(texts)[1]))
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
    np.testing.assert_allclose(first[:-1], teacher.predict_with_features(texts)[1], atol=2e-2)


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


def test_features_come_with_the_answers_in_one_pass(tmp_path):
    """What was labelled is not read again; rows belong to their texts; the answers are those of `predict`."""
    teacher = Showing()
    store = answered(teacher, tmp_path)
    label(teacher, store, MANY, tmp_path)
    found = read(teacher, MANY[::-1], tmp_path)
    assert teacher.texts_asked == len(MANY)
    np.testing.assert_array_equal(found[::-1], teacher.predict_with_features(MANY)[1])
    np.testing.assert_array_equal(
        store.read([input_key(text) for text in MANY]), FixedTeacher().predict(MANY)
    )


def test_answers_without_features_are_read_again_and_the_price_is_said(tmp_path):
    """Of labels from a run that wanted none: the missing texts alone, once, with seconds and USD."""
    teacher = Showing()
    store = answered(teacher, tmp_path)
    ask(teacher, store, MANY[:12])
    label(teacher, store, MANY, tmp_path)
    assert teacher.texts_asked == len(MANY)
    heard = Heard()
    read(teacher, MANY, tmp_path, purse=Purse(price=Price(Unit.REQUESTS_1K, 5.0)), progress=heard)
    assert teacher.texts_asked == len(MANY) + 12
    assert any("12 texts" in line and " s and 0.0600 USD" in line for line in heard.lines)


def test_an_interrupted_labelling_keeps_the_features_of_its_answers(tmp_path):
    """The teacher failed in its third batch; the run that goes on ends without a text read twice."""
    with pytest.raises(TeacherUnavailable):
        label(Showing(fail_at=3), answered(Showing(), tmp_path), MANY, tmp_path)
    teacher = Showing()
    label(teacher, answered(teacher, tmp_path), MANY, tmp_path)
    read(teacher, MANY, tmp_path)
    assert teacher.texts_asked == len(MANY) - 8


def test_a_part_that_a_kill_cost_is_read_again(tmp_path):
    """Its texts, which have answers, and no others."""
    teacher = Showing()
    label(teacher, answered(teacher, tmp_path), MANY, tmp_path)
    sorted(tmp_path.glob("*.safetensors"))[0].unlink()
    found = read(teacher, MANY, tmp_path)
    assert teacher.texts_asked == len(MANY) + 4
    np.testing.assert_array_equal(found, teacher.predict_with_features(MANY)[1])


def test_a_slow_teachers_parts_are_small(tmp_path, monkeypatch):
    """A kill costs no more than `PART_SECONDS` of the teacher's time, however many texts a part may hold."""
    monkeypatch.setattr(features, "PART", 1000)
    with FeatureKeeper(tmp_path, 4, Silent()) as keeper:
        for text, seconds in zip(MANY[:4], (50.0, 20.0, 1.0, 1.0), strict=True):
            keeper.add([input_key(text)], np.ones((1, 8), dtype=np.float32), seconds)
        assert len(list(tmp_path.glob("*.safetensors"))) == 1
    assert len(list(tmp_path.glob("*.safetensors"))) == 2


def test_reading_again_stops_at_the_limit_and_is_noted(tmp_path):
    """What was paid for is kept: with more money only the rest is read."""
    teacher = Showing()
    price, log = Price(Unit.REQUESTS_1K, 10.0), SpendingLog(tmp_path / SPENDING, "features")
    with pytest.raises(BudgetExhausted, match=r"0\.0600 USD.* 14 input\(s\) are not read for their features"):
        read(teacher, MANY, tmp_path, purse=Purse(price=price, limit_usd=0.08, spending=log))
    assert teacher.texts_asked == 6
    assert read_spending(tmp_path / SPENDING)["features"].usd == pytest.approx(0.06)
    read(teacher, MANY, tmp_path, purse=Purse(price=price, limit_usd=1.0, spending=log))
    assert teacher.texts_asked == len(MANY)
    assert read_spending(tmp_path / SPENDING)["features"].texts == len(MANY)


def test_features_of_a_teacher_that_is_faster_than_the_disk_are_not_kept(tmp_path):
    """No part is written, which is said once; the texts are read again when they are needed."""
    heard = Heard()
    with FeatureKeeper(tmp_path, 20, heard) as keeper:
        for text in MANY:
            keeper.add([input_key(text)], np.ones((1, 8), dtype=np.float32), 0.0)
    assert list(tmp_path.glob("*.safetensors")) == []
    assert [line for line in heard.lines if "not kept" in line] == heard.lines
    assert len(heard.lines) == 1


def test_features_that_are_not_kept_are_read_once_for_all_stages(tmp_path, monkeypatch):
    """Each stage, route and control arm wants them; the teacher is paid for one pass."""
    monkeypatch.setattr(features, "_SHARE_OF_DISK", 0.0)
    teacher, price = Showing(), Price(Unit.REQUESTS_1K, 10.0)
    reader = FeatureReader(teacher, tmp_path, Silent(), purse=Purse(price=price, limit_usd=0.2))
    first = reader(MANY)
    np.testing.assert_array_equal(reader(MANY[::-1]), first[::-1])
    assert list(tmp_path.glob("*.safetensors")) == []
    assert teacher.texts_asked == len(MANY)
    with pytest.raises(BudgetExhausted):
        reader(["one more"])
