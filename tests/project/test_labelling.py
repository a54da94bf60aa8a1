"""The teacher is asked for what is missing, within the budget, and never about data that cannot be used."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from coffey.core.errors import BudgetExhausted, DataError, StoreCorrupt
from coffey.core.ids import input_key
from coffey.project.distilling import chain_request, prepare
from coffey.project.labelling import RECHECKED
from coffey.teacher.spending import read_spending, spending_folder


def test_everything_is_asked_once(untouched):
    """Transfer set and holdout; a second run asks only a few again, to see that the teacher is the same."""
    first = untouched.load().label()
    assert (first.labels, first.holdout, first.asked, first.rechecked) == (60, 30, 90, 0)
    assert max(Counter(untouched.asked()).values()) == 1
    second = untouched.load().label()
    assert (second.labels, second.asked, second.rechecked) == (60, 0, RECHECKED)
    assert second.digest == first.digest
    assert second.largest_difference == 0.0
    assert len(untouched.asked()) == 90 + RECHECKED


def test_what_was_spent_is_noted_batch_by_batch(untouched):
    """Over all runs, by set: what a resumed labelling cost is known although no one run knows it."""
    first = untouched.load().label()
    texts = untouched.known(10, seed=61)
    with (untouched.folder / "transfer.jsonl").open("a") as file:
        file.write("".join(f'{{"text": "{text}", "intent": null}}\n' for text in texts))
    untouched.load().label()
    found = read_spending(spending_folder(untouched.store, first.teacher))
    assert (found["transfer"].texts, found["holdout"].texts) == (70, 30)
    assert found["transfer"].usd == pytest.approx(0.07)
    assert found["transfer"].seconds > 0


def test_new_rows_are_asked_alone(untouched):
    """A grown transfer set costs what it grew by; the digest is of the set, so it changes."""
    before = untouched.load().label()
    texts = untouched.known(10, seed=61)
    with (untouched.folder / "transfer.jsonl").open("a") as file:
        file.write("".join(f'{{"text": "{text}", "intent": null}}\n' for text in texts))
    after = untouched.load().label()
    assert (after.asked, after.labels) == (10, 70)
    assert after.digest != before.digest
    assert after.usd == pytest.approx(0.01)


def test_a_leaking_row_is_counted_and_not_asked_twice(untouched):
    """It is answered as part of the holdout; the transfer set is without it."""
    (untouched.folder / "transfer.jsonl").open("a").close()
    lines = (untouched.folder / "holdout.jsonl").read_text().splitlines()
    text = (untouched.folder / "transfer.jsonl").read_text()
    (untouched.folder / "transfer.jsonl").write_text(text + lines[0] + "\n")
    result = untouched.load().label()
    assert (result.data.leaking_exact, result.labels, result.asked) == (1, 60, 90)


def test_unknown_labels_are_named_before_anything_is_paid(untouched):
    """The error says which, how often, and what the teacher gives; the teacher was not asked."""
    path = untouched.folder / "holdout.jsonl"
    path.write_text(path.read_text().replace('"delivery"', '"deliveries"'))
    with pytest.raises(DataError, match=r"'deliveries' \(\d+ rows\).*'billing', 'delivery', 'account'"):
        untouched.load().label()
    assert untouched.asked() == []


def test_the_budget_stops_and_what_was_paid_for_is_kept(untouched):
    """90 answers at 1 USD a thousand do not fit into 4 cents; with more money only the rest is asked."""
    untouched.edit("max_usd = 10", "max_usd = 0.04")
    untouched.edit("threads = 1\ncost", "threads = 1\nbatch_size = 10\ncost")
    with pytest.raises(BudgetExhausted, match=r"raise budget\.max_usd"):
        untouched.load().label()
    paid = untouched.asked()
    assert len(paid) == 40
    untouched.edit("max_usd = 0.04", "max_usd = 10")
    assert untouched.load().label().asked == 50
    assert set(untouched.asked()[:40]) == set(paid)


def test_another_teacher_is_asked_anew(untouched):
    """Changed code is another fingerprint: its answers are its own, the old ones stay."""
    first = untouched.load().label()
    path = untouched.folder / "small_teacher.py"
    path.write_text(path.read_text().replace("+= 4.0", "+= 3.0"))
    second = untouched.load().label()
    assert second.asked == 90
    assert second.teacher != first.teacher
    path.write_text(path.read_text().replace("+= 3.0", "+= 4.0"))
    assert untouched.load().label().digest == first.digest


def test_a_teacher_that_changed_in_secret_is_noticed(untouched):
    """Its code is the same and its answers are not: the kept answers are refused."""
    path = untouched.folder / "small_teacher.py"
    weight = 'float(pathlib.Path(__file__).with_name("weight.txt").read_text())'
    path.write_text(path.read_text().replace("+= 4.0", f"+= {weight}"))
    (untouched.folder / "weight.txt").write_text("4.0")
    untouched.load().label()
    (untouched.folder / "weight.txt").write_text("0.5")
    with pytest.raises(StoreCorrupt):
        untouched.load().label()


def test_an_over_confident_teacher_is_calibrated_on_labelled_rows(untouched):
    """Half of the labels contradict it: students learn from less confident answers; the kept ones stay."""
    path = untouched.folder / "transfer.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for number, text in enumerate(untouched.known(200, seed=71)):
        rows.append({"text": text, "intent": "account" if number % 2 else "billing"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    project = untouched.load()
    before = project.label()
    assert before.calibration is not None
    assert before.calibration.corrected
    assert before.calibration.rows >= 200
    keys = [input_key(row["text"]) for row in rows]
    labels = project.workspace.labels
    assert labels.read(keys).max(axis=1).mean() < labels.read_raw(keys).max(axis=1).mean()
    assert untouched.load().label().digest == before.digest
    path.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in rows))
    assert untouched.load().label().calibration is None


def test_a_teacher_without_labels_to_measure_on_is_read_as_it_answered(untouched):
    """Sixty rows are too few."""
    project = untouched.load()
    assert project.label().calibration is None


def with_features(project):
    """The project at work; its teacher, a function, shows features: how long a text is, in two ways."""
    space = project.load().workspace
    teacher = space.teacher
    teacher.predict_with_features = lambda texts: (
        teacher.predict(texts),
        np.array([[len(text), len(text.split())] for text in texts], dtype=np.float32),
    )
    return space


def test_features_come_with_the_labels_of_the_transfer_set(untouched, tmp_path):
    """A chain reads them, row by row, without a second pass of the teacher."""
    space = with_features(untouched)
    request = chain_request(space, prepare(space), tmp_path)
    found = request.features(request.texts)
    assert [row[0] for row in found.tolist()] == [len(text) for text in request.texts]
    assert max(Counter(untouched.asked()).values()) == 1
    assert len(untouched.asked()) == 90


def test_no_features_are_kept_where_no_stage_learns_from_them(untouched):
    """Both weights are 0: the teacher is asked for answers alone."""
    untouched.edit("epochs = 16", "epochs = 16\nhint_weight = 0\nrelation_weight = 0")
    space = with_features(untouched)
    prepare(space)
    assert not (space.store / "features").exists()


def test_features_that_are_missing_are_read_within_the_budget(untouched, tmp_path):
    """Labels of a run that wanted none: 60 texts at 1 USD a thousand do not fit into 5 cents."""
    untouched.load().label()
    untouched.edit("max_usd = 10", "max_usd = 0.05")
    space = with_features(untouched)
    request = chain_request(space, prepare(space), tmp_path)
    with pytest.raises(BudgetExhausted, match="60 input"):
        request.features(request.texts)
    untouched.edit("max_usd = 0.05", "max_usd = 0.07")
    space = with_features(untouched)
    request = chain_request(space, prepare(space), tmp_path)
    assert request.features(request.texts).shape == (60, 2)
    spent = read_spending(spending_folder(untouched.store, space.teacher.fingerprint))
    assert spent["features"].usd == pytest.approx(0.06)
