"""The label store answers by key, survives everything, and says when it cannot be trusted."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coffey.core.errors import StoreCorrupt, UnknownFormat
from coffey.core.ids import input_key
from coffey.teacher.calibration import Calibration, at_temperature
from coffey.teacher.shard import list_shards
from coffey.teacher.store import LabelStore
from coffey.testing.teacher import FixedTeacher

TEXTS = [f"text {number}" for number in range(50)]
KEYS = [input_key(text) for text in TEXTS]
TEACHER = FixedTeacher()
OVER_CONFIDENT = Calibration(
    rows=500,
    temperature=2.0,
    error=0.2,
    error_fitted=0.01,
    brier=0.4,
    nll=0.9,
    nll_fitted=0.5,
    corrected=True,
)


def answer(keys_of):
    return TEACHER.predict(keys_of)


def test_row_i_answers_key_i_whatever_the_order(tmp_path):
    """A shuffled question gets the shuffled answer; keys may repeat."""
    store = LabelStore.open(tmp_path, TEACHER)
    store.append(KEYS[:30], answer(TEXTS[:30]))
    store.append(KEYS[30:], answer(TEXTS[30:]))
    order = np.random.default_rng(1).integers(0, 50, 80)
    found = LabelStore.open(tmp_path, TEACHER).read([KEYS[i] for i in order])
    np.testing.assert_array_equal(found, answer([TEXTS[i] for i in order]))


def test_missing_keys_are_listed_once_in_order_and_refused_by_read(tmp_path):
    """Resume is "which keys are missing"."""
    store = LabelStore.open(tmp_path, TEACHER)
    assert store.missing([]) == []
    store.append(KEYS[:2], answer(TEXTS[:2]))
    assert store.missing([KEYS[3], KEYS[0], KEYS[2], KEYS[3]]) == [KEYS[3], KEYS[2]]
    with pytest.raises(KeyError, match=KEYS[2]):
        store.read([KEYS[0], KEYS[2]])
    assert store.read([]).shape == (0, 3)


def test_answers_of_the_wrong_shape_are_refused(tmp_path):
    """Nothing is committed when rows and keys do not fit."""
    store = LabelStore.open(tmp_path, TEACHER)
    with pytest.raises(ValueError, match="3 labels"):
        store.append(KEYS[:2], answer(TEXTS[:3]))
    assert store.count() == 0


def test_another_fingerprint_is_another_folder(tmp_path):
    """A changed teacher invalidates nothing else."""
    store = LabelStore.open(tmp_path, TEACHER)
    store.append(KEYS, answer(TEXTS))
    assert LabelStore.open(tmp_path, FixedTeacher(seed=1)).count() == 0
    assert LabelStore.open(tmp_path, TEACHER).count() == 50


@given(
    st.lists(st.lists(st.integers(0, 49), min_size=1, max_size=9), max_size=8),
    st.sets(st.integers(0, 7)),
    st.randoms(use_true_random=False),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_appends_in_any_order_give_the_same_store(tmp_path_factory, parts, reopened, random):
    """Batches that overlap, repeat and come in any order: same count, same answers, same digest."""
    root = tmp_path_factory.mktemp("store")
    distinct = sorted({i for part in parts for i in part})
    store = LabelStore.open(root, TEACHER)
    for number, part in enumerate(parts):
        store.append([KEYS[i] for i in part], answer([TEXTS[i] for i in part]))
        if number in reopened:
            store = LabelStore.open(root, TEACHER)
    random.shuffle(distinct)
    other = LabelStore.open(tmp_path_factory.mktemp("other"), TEACHER)
    for i in distinct:
        other.append([KEYS[i]], answer([TEXTS[i]]))
    again = LabelStore.open(root, TEACHER)
    assert store.count() == again.count() == len(distinct)
    assert store.digest() == again.digest() == other.digest()
    assert sorted(again.missing(KEYS)) == sorted(set(KEYS) - {KEYS[i] for i in distinct})
    np.testing.assert_array_equal(
        again.read([KEYS[i] for i in distinct]), answer([TEXTS[i] for i in distinct])
    )


def test_the_digest_sees_every_answer_and_every_key(tmp_path):
    """One changed float, or an answer under another key, is another digest."""
    digests = set()
    for number, (keys, answers) in enumerate(
        [
            (KEYS[:2], answer(TEXTS[:2])),
            (KEYS[:2], answer(TEXTS[:2])[::-1]),
            (KEYS[1:3], answer(TEXTS[:2])),
            (KEYS[:2], np.nextafter(answer(TEXTS[:2]), np.float32(1))),
        ]
    ):
        store = LabelStore.open(tmp_path / str(number), TEACHER)
        store.append(keys, answers)
        digests.add(store.digest())
    assert len(digests) == 4
    assert store.digest(KEYS[:1]) != store.digest() == store.digest([*KEYS[:2], KEYS[0]])


def test_small_shards_are_merged_while_appending_and_the_digest_stays(tmp_path):
    """Two hundred one-answer appends leave a few files and the same answers."""
    many = [f"many {number}" for number in range(200)]
    keys = [input_key(text) for text in many]
    store, whole = LabelStore.open(tmp_path / "a", TEACHER), LabelStore.open(tmp_path / "b", TEACHER)
    answers = answer(many)
    for i in range(200):
        store.append(keys[i : i + 1], answers[i : i + 1])
    whole.append(keys, answers)
    assert len(list_shards(store.folder / "shards")) < 40
    assert LabelStore.open(tmp_path / "a", TEACHER).digest() == store.digest() == whole.digest()


def test_two_writers_see_each_other_and_end_with_one_store(tmp_path):
    """Overlapping appends and merges of two open stores agree in the end, in either's eyes."""
    one, two = LabelStore.open(tmp_path, TEACHER), LabelStore.open(tmp_path, TEACHER)
    many = [f"shared {number}" for number in range(200)]
    keys = [input_key(text) for text in many]
    for i in range(0, 200, 2):
        (one if i % 4 else two).append(keys[i : i + 2], answer(many[i : i + 2]))
        (two if i % 4 else one).append(keys[i : i + 1], answer(many[i : i + 1]))
    assert one.missing(keys) == two.missing(keys) == []
    assert one.digest() == two.digest() == LabelStore.open(tmp_path, TEACHER).digest()


def test_two_answers_for_one_key_have_one_outcome(tmp_path):
    """Noise between two processes that asked the same key does not depend on who came first."""
    noise = [answer(TEXTS[:1]), np.nextafter(answer(TEXTS[:1]), np.float32(0))]
    digests = set()
    for number, order in enumerate([(0, 1), (1, 0)]):
        stores = [LabelStore.open(tmp_path / str(number), TEACHER) for _ in order]
        for store, which in zip(stores, order, strict=True):
            store.append(KEYS[:1], noise[which])
        stores[0].refresh()
        stores[1].refresh()
        digests |= {store.digest() for store in [*stores, LabelStore.open(tmp_path / str(number), TEACHER)]}
    assert len(digests) == 1


def test_a_flipped_byte_names_the_shard(tmp_path):
    """Opening a store with a damaged shard says which file it is."""
    store = LabelStore.open(tmp_path, TEACHER)
    for start in (0, 10, 20):
        store.append(KEYS[start : start + 10], answer(TEXTS[start : start + 10]))
    damaged = list_shards(store.folder / "shards")[1]
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(bytes(data))
    with pytest.raises(StoreCorrupt, match=damaged.name):
        LabelStore.open(tmp_path, TEACHER)


def test_a_header_of_another_teacher_or_a_later_format_is_refused(tmp_path):
    """A folder that was renamed, torn or written by a later version is not read."""
    header = LabelStore.open(tmp_path, TEACHER).folder / "header.json"
    whole = header.read_text()
    header.write_text(whole.replace('"seed":0', '"seed":7'))
    with pytest.raises(StoreCorrupt, match="another teacher"):
        LabelStore.open(tmp_path, TEACHER)
    header.write_text(whole.replace('"format":1', '"format":2'))
    with pytest.raises(UnknownFormat, match="format 2"):
        LabelStore.open(tmp_path, TEACHER)
    for torn in (whole[:20], "[]"):
        header.write_text(torn)
        with pytest.raises(StoreCorrupt, match=r"header\.json"):
            LabelStore.open(tmp_path, TEACHER)


def test_a_later_header_may_say_more(tmp_path):
    """Keys may be added within a format."""
    header = LabelStore.open(tmp_path, TEACHER).folder / "header.json"
    header.write_text(header.read_text().replace('"format":1', '"format":1,"made_by":"x"'))
    assert LabelStore.open(tmp_path, TEACHER).count() == 0


def test_a_calibration_is_kept_in_the_header_and_applied_on_reading(tmp_path):
    """Raw answers, digest and recheck stay; other processes read at the temperature, until it is gone."""
    store = LabelStore.open(tmp_path, TEACHER)
    store.append(KEYS[:40], answer(TEXTS[:40]))
    digest, raw = store.digest(), store.read(KEYS[:40])
    store.calibrate(OVER_CONFIDENT)
    again = LabelStore.open(tmp_path, TEACHER)
    for one in (store, again):
        assert np.array_equal(one.read(KEYS[:40]), at_temperature(raw, 2.0))
        assert np.array_equal(one.read_raw(KEYS[:40]), raw)
        assert one.digest() == digest
        assert one.recheck(TEACHER, TEXTS[:40]).largest_difference == 0.0
    again.calibrate(None)
    assert np.array_equal(LabelStore.open(tmp_path, TEACHER).read(KEYS[:40]), raw)


def test_a_calibration_that_corrects_nothing_changes_no_answer(tmp_path):
    """It is noted all the same."""
    store = LabelStore.open(tmp_path, TEACHER)
    store.append(KEYS[:5], answer(TEXTS[:5]))
    store.calibrate(replace(OVER_CONFIDENT, corrected=False))
    assert '"temperature":2.0' in (store.folder / "header.json").read_text()
    assert np.array_equal(LabelStore.open(tmp_path, TEACHER).read(KEYS[:5]), answer(TEXTS[:5]))


@pytest.mark.parametrize("damage", ['{"corrected":true}', '{"corrected":true,"temperature":-1.0}', "7"])
def test_a_damaged_calibration_is_refused(tmp_path, damage):
    """A temperature that is missing or makes no sense is not guessed."""
    header = LabelStore.open(tmp_path, TEACHER).folder / "header.json"
    header.write_text(header.read_text().replace('"format":1', f'"calibration":{damage},"format":1'))
    with pytest.raises(StoreCorrupt, match="temperature"):
        LabelStore.open(tmp_path, TEACHER)


def test_recheck_passes_the_same_teacher_and_asks_only_the_sample(tmp_path):
    """Random answered texts are asked again; the sample does not depend on their order."""
    store = LabelStore.open(tmp_path, TEACHER)
    store.append(KEYS[:40], answer(TEXTS[:40]))
    asking = FixedTeacher()
    found = store.recheck(asking, iter([*TEXTS, *TEXTS[::-1]]), sample=5, seed=3)
    assert (found.asked, found.largest_difference, asking.texts_asked) == (5, 0.0, 5)
    assert store.recheck(asking, ["never asked"]).asked == 0


def test_recheck_refuses_a_teacher_that_changed_under_its_fingerprint(tmp_path):
    """A store that does not say what the teacher says is refused, with what to do."""
    store = LabelStore.open(tmp_path, TEACHER)
    store.append(KEYS, answer(TEXTS))
    with pytest.raises(StoreCorrupt, match=r"teacher\.version"):
        store.recheck(FixedTeacher(seed=1), TEXTS, sample=3)


def test_recheck_notices_noise_only_above_the_tolerance(tmp_path):
    """The tolerance is the border."""
    store = LabelStore.open(tmp_path, TEACHER)
    shifted = answer(TEXTS).copy()
    shifted[:, 0] += np.where(shifted[:, 0] < 0.5, 5e-4, -5e-4)
    store.append(KEYS, shifted)
    assert 4e-4 < store.recheck(TEACHER, TEXTS, tolerance=1e-3).largest_difference < 6e-4
    with pytest.raises(StoreCorrupt):
        store.recheck(TEACHER, TEXTS, tolerance=4e-4)


def test_leftovers_of_a_killed_write_are_swept_when_they_are_old(tmp_path):
    """A file written aside an hour ago belongs to nobody; a fresh one may belong to another process."""
    shards = LabelStore.open(tmp_path, TEACHER).folder / "shards"
    shards.mkdir()
    old, young = shards / ".a.1.tmp", shards / ".b.2.tmp"
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    os.utime(old, (0, time.time() - 7200))  # noqa: TID251 - file times are wall-clock times
    assert LabelStore.open(tmp_path, TEACHER).count() == 0
    assert not old.exists()
    assert young.exists()
