"""Asking streams, asks nothing twice, stops at the limit, and labels by key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffey.core.errors import BudgetExhausted, LabelRejected, TeacherUnavailable
from coffey.core.ids import input_key
from coffey.core.progress import Silent
from coffey.teacher.asking import ask, plan_batches
from coffey.teacher.budget import Price, Unit
from coffey.teacher.checkpoint import CheckpointTeacher
from coffey.teacher.purse import Purse
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import FixedTeacher

TEXTS = [f"{'long ' * (number % 7)}text {number}" for number in range(100)]


class Heard(Silent):
    def __init__(self):
        self.total, self.done, self.notes = None, 0.0, []

    def start(self, task, total, unit):
        self.total = total

    def advance(self, task, amount=1, note=""):
        self.done += amount
        self.notes.append(note)


def test_everything_is_asked_once_and_reported(tmp_path):
    """Duplicates are asked once; a second run asks nothing and ends with the same digest."""
    teacher = FixedTeacher()
    store = LabelStore.open(tmp_path, teacher)
    report = ask(teacher, store, TEXTS + TEXTS[:30], batch_size=8, window=40)
    assert (report.labels, report.asked, report.cached, report.duplicates) == (100, 100, 0, 30)
    assert teacher.texts_asked == 100
    assert report.digest == store.digest()
    again = ask(teacher, LabelStore.open(tmp_path, teacher), TEXTS, batch_size=8)
    assert (again.labels, again.asked, again.cached, teacher.texts_asked) == (100, 0, 100, 100)
    assert again.digest == report.digest
    assert report.usd is None
    assert "no price" in report.usd_note


def test_a_shuffled_input_has_the_same_label_for_every_text(tmp_path):
    """Position never decides which label belongs to which input."""
    shuffled = [TEXTS[i] for i in np.random.default_rng(5).permutation(100)]
    stores = []
    for name, order in (("a", TEXTS), ("b", shuffled)):
        teacher = FixedTeacher()
        stores.append(LabelStore.open(tmp_path / name, teacher))
        ask(teacher, stores[-1], order, batch_size=7, window=32)
    keys = [input_key(text) for text in TEXTS]
    np.testing.assert_array_equal(stores[0].read(keys), stores[1].read(keys))
    np.testing.assert_array_equal(stores[0].read(keys), FixedTeacher().predict(TEXTS))
    assert stores[0].digest() == stores[1].digest()


def test_a_stream_is_read_no_further_than_the_window(tmp_path):
    """What does not fit in memory is never held whole."""
    read = 0

    def stream():
        nonlocal read
        for text in TEXTS:
            read += 1
            yield text

    teacher = FixedTeacher(fail_at=1)
    with pytest.raises(TeacherUnavailable):
        ask(teacher, LabelStore.open(tmp_path, teacher), stream(), batch_size=4, window=10)
    assert read <= 20


def test_the_limit_stops_before_the_batch_that_would_exceed_it(tmp_path):
    """What was paid is kept, what remains is counted over the whole input, and a higher limit goes on."""
    teacher, price = FixedTeacher(), Price(Unit.REQUESTS_1K, 1000.0)
    store = LabelStore.open(tmp_path, teacher)
    with pytest.raises(BudgetExhausted) as caught:
        ask(teacher, store, TEXTS * 2, batch_size=8, purse=Purse(price=price, limit_usd=20.0), window=30)
    assert (caught.value.spent_usd, caught.value.remaining) == (store.count(), 100 - store.count())
    assert 12 < store.count() <= 20
    report = ask(teacher, store, TEXTS, batch_size=8, purse=Purse(price=price, limit_usd=100.0))
    assert report.usd == report.asked == 100 - report.cached
    assert teacher.texts_asked == 100


def test_a_failing_teacher_loses_only_its_batch(tmp_path):
    """Answers before the failure are kept, and the next run goes on."""
    teacher = FixedTeacher(fail_at=4)
    store = LabelStore.open(tmp_path, teacher)
    with pytest.raises(TeacherUnavailable):
        ask(teacher, store, TEXTS, batch_size=10)
    assert store.count() == 30
    assert ask(teacher, store, TEXTS, batch_size=10).asked == 70


def test_an_answer_that_is_no_distribution_is_not_stored(tmp_path):
    """A broken teacher cannot write."""

    class Broken(FixedTeacher):
        def predict(self, texts):
            return super().predict(texts) * 2

    store = LabelStore.open(tmp_path, FixedTeacher())
    with pytest.raises(LabelRejected):
        ask(Broken(), store, TEXTS)
    assert store.count() == 0


def test_an_answer_in_lists_is_stored_as_well_as_an_array(tmp_path):
    """Whatever a teacher counts in, the store holds float32."""

    class Listing(FixedTeacher):
        def predict(self, texts):
            return super().predict(texts).astype(float).tolist()

    store = LabelStore.open(tmp_path, FixedTeacher())
    ask(Listing(), store, TEXTS)
    np.testing.assert_array_equal(
        store.read([input_key(text) for text in TEXTS]), FixedTeacher().predict(TEXTS)
    )


def test_progress_hears_every_text_once(tmp_path):
    """Cached and duplicate texts count as done at once."""
    teacher, heard = FixedTeacher(), Heard()
    store = LabelStore.open(tmp_path, teacher)
    ask(teacher, store, TEXTS[:20], batch_size=8)
    ask(teacher, store, TEXTS + TEXTS, batch_size=8, window=30, progress=heard)
    assert heard.total == heard.done == 200
    ask(teacher, store, iter(TEXTS), progress=heard)
    assert heard.total is None


@given(
    st.lists(st.text("ab", max_size=6), max_size=40, unique=True),
    st.sets(st.integers(0, 39)),
    st.integers(1, 7),
)
@settings(max_examples=60, deadline=None)
def test_batches_cover_what_is_missing_and_do_not_depend_on_what_is_answered(texts, answered, size):
    """Exactly the missing texts, none over the size; a batch nobody answered is the undisturbed one."""
    batch = {input_key(text): text for text in texts}
    missing = {key for number, key in enumerate(batch) if number not in answered}
    sizes = [len(text) for text in batch.values()]
    found = plan_batches(batch, missing, sizes, batch_size=size)
    assert sorted(key for part in found for key in part) == sorted(missing)
    assert all(0 < len(part) <= size for part in found)
    whole = plan_batches(batch, set(batch), sizes, batch_size=size)
    assert [part for part in whole if set(part) <= missing] == found[: sum(set(p) <= missing for p in whole)]


def test_batches_are_cut_by_tokens_where_the_teacher_counts_them(tmp_path, classifier, texts):
    """Few long words and many short ones differ in characters alone; no batch is padded for that."""
    teacher = CheckpointTeacher.load(str(classifier), threads=1)
    widths = []
    many = [f"{text} {other}" for text in texts for other in texts]
    teacher.module().register_forward_pre_hook(lambda _, given: widths.append(given[1].shape))
    ask(teacher, LabelStore.open(tmp_path, teacher), many, batch_size=4)
    tokenizer = teacher.tokenizer()
    counts = sorted(len(tokenizer.encode(text).ids) for text in set(many))
    padded = sum(rows * width for rows, width in widths)
    assert padded == sum(len(cut) * cut[-1] for cut in (counts[i : i + 4] for i in range(0, len(counts), 4)))


def test_a_real_network_interrupted_anywhere_ends_with_the_same_bytes(tmp_path, classifier, texts):
    """Floating-point noise of other batches cannot enter: a resumed run asks the very same batches."""
    teacher = CheckpointTeacher.load(str(classifier), threads=1)
    many = [f"{text} {other}" for text in texts for other in texts]
    undisturbed = ask(teacher, LabelStore.open(tmp_path / "whole", teacher), many, batch_size=5, window=32)

    class Interrupted(CheckpointTeacher):
        left = 3

        def predict(self, texts):
            self.left -= 1
            if self.left < 0:
                raise TeacherUnavailable(self.source, "unplugged")
            return super().predict(texts)

    interrupted = Interrupted.load(str(classifier), threads=1)
    store = LabelStore.open(tmp_path / "parts", interrupted)
    for _ in range(20):
        interrupted.left = 3
        try:
            report = ask(interrupted, store, many, batch_size=5, window=32)
            break
        except TeacherUnavailable:
            continue
    assert report.digest == undisturbed.digest
