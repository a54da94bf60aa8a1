"""The transfer set never holds what stands in the holdout, and every row that is left out is counted."""

from __future__ import annotations

import json

import pytest

from coffey.core.errors import BadRows, DataError, EmptyData, MissingColumn
from coffey.core.progress import Silent
from coffey.project.transfer import Split, read_data


def read(project):
    return read_data(project.load().settings, Silent())


def add(project, name, *rows):
    with (project.folder / name).open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))


def held(project, index=0):
    return json.loads((project.folder / "holdout.jsonl").read_text().splitlines()[index])["text"]


def test_leaks_are_removed_and_counted(untouched):
    """A holdout text, a near-duplicate of one and a repeated row are out; the counts say so."""
    clean = read(untouched)
    near = held(untouched, 1) + " again"
    add(untouched, "transfer.jsonl", {"text": held(untouched), "intent": "billing"})
    add(untouched, "transfer.jsonl", {"text": clean.transfer.texts[3], "intent": "billing"})
    add(untouched, "transfer.jsonl", {"text": near, "intent": "billing"})
    untouched.edit('holdout = "holdout.jsonl"', 'holdout = "holdout.jsonl"\nnear_duplicate = 0.7')
    found = read(untouched)
    assert found.transfer == clean.transfer
    report = found.report
    assert (report.leaking_exact, report.leaking_near, report.duplicates) == (1, 1, 1)
    assert (report.transfer_rows, report.transfer_kept, report.holdout_kept) == (63, 60, 30)


def test_what_leaks_as_a_whole_leaves_nothing(untouched):
    """A transfer set that is the holdout is an error, not an empty training."""
    (untouched.folder / "transfer.jsonl").write_text((untouched.folder / "holdout.jsonl").read_text())
    with pytest.raises(EmptyData, match="leaks"):
        read(untouched)


def test_a_known_label_is_kept_beside_an_unknown_one(untouched):
    """The same text with and without a label is one row, with the label; the transfer set may lack labels."""
    add(untouched, "transfer.jsonl", {"text": "who sent this parcel", "intent": None})
    add(untouched, "transfer.jsonl", {"text": "who sent this parcel", "intent": "delivery"})
    found = read(untouched)
    assert found.transfer.hard[found.transfer.texts.index("who sent this parcel")] == "delivery"


def test_the_digest_is_of_the_data_not_of_its_order(untouched):
    """Shuffled rows are the same data; another label is not."""
    before = read(untouched).digest()
    path = untouched.folder / "transfer.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[::-1]) + "\n")
    assert read(untouched).digest() == before
    path.write_text("\n".join(lines).replace('"billing"', '"account"') + "\n")
    assert read(untouched).digest() != before


def test_the_validation_split_is_of_the_text(untouched):
    """A row keeps its side whatever comes before it."""
    first = read(untouched)
    side = dict(zip(first.transfer.keys, first.validation(share=0.3, seed=1), strict=True))
    assert 0 < sum(side.values()) < 40
    path = untouched.folder / "transfer.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[::-1][:40]) + "\n")
    second = read(untouched)
    assert all(
        side[key] == now
        for key, now in zip(second.transfer.keys, second.validation(share=0.3, seed=1), strict=True)
    )


def test_labels_become_the_teachers_indices():
    """In the teacher's order, -1 where unknown; a label it does not give is named with its count."""
    split = Split(("x", "y", "z"), ("1", "2", "3"), ("b", None, "a"))
    assert split.indices(["a", "b"]).tolist() == [1, -1, 0]
    with pytest.raises(DataError, match=r"'b' \(1 rows\).*'a', 'c'"):
        split.indices(["a", "c"])


def test_bad_rows_are_refused_or_skipped(untouched):
    """Refused with file and line; skipped and counted when that was asked for."""
    add(untouched, "transfer.jsonl", {"intent": "billing"})
    with pytest.raises(BadRows, match=r"transfer\.jsonl:61"):
        read(untouched)
    untouched.edit("[chain]", 'bad_rows = "skip"\n[chain]')
    report = read(untouched).report
    assert (report.bad_rows, report.transfer_kept) == (1, 60)


def test_a_missing_column_names_the_columns(untouched):
    """A label column that the holdout does not have is an error that says what it has."""
    untouched.edit('label = "intent"', 'label = "intents"')
    with pytest.raises(MissingColumn, match="intent"):
        read(untouched)
