"""Rows with many labels, in every form in which files hold them."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coffey.core.errors import BadRow, BadRows, UnreadableData
from coffey.data.rows import to_example
from coffey.data.source import ExampleSource


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (["joy", "love"], ("joy", "love")),
        ("joy, love,joy", ("joy", "love")),
        (3, ("3",)),
        ([4, "joy"], ("4", "joy")),
        ([], ()),
        (",", ()),
        (" ", None),
        ("", None),
        (None, None),
    ],
)
def test_labels_come_as_lists_or_as_one_string(label, expected):
    """An empty list, or the separator alone, is a known empty set; a blank says nothing."""
    example = to_example("text", label, source="a", line=1, separator=",")
    assert example.label == expected


def test_a_wrong_label_in_a_list_is_named():
    """As where there is one label."""
    found = to_example("text", ["joy", 0.5], source="a", line=7, separator=",")
    assert isinstance(found, BadRow)
    assert "the label is a number" in str(found)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_every_format_holds_many_labels(tmp_path, ending):
    """Lists in JSONL and Parquet, one string in CSV: the same examples."""
    sets = [["joy", "love"], ["anger"], []]
    path = tmp_path / f"rows.{ending}"
    if ending == "jsonl":
        path.write_text("".join(json.dumps({"text": f"t{i}", "label": s}) + "\n" for i, s in enumerate(sets)))
    elif ending == "csv":
        path.write_text(
            "text,label\n" + "".join(f't{i},"{",".join(s) or ","}"\n' for i, s in enumerate(sets))
        )
    else:
        table = pa.table({"text": ["t0", "t1", "t2"], "label": pa.array(sets, pa.list_(pa.string()))})
        pq.write_table(table, path)
    found = list(ExampleSource(str(path), text="text", label="label", separator=","))
    assert [example.label for example in found] == [("joy", "love"), ("anger",), ()]


def test_lists_are_refused_where_a_text_has_one_label(tmp_path):
    """The message says what the column holds."""
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": ["a"], "label": [["joy"]]}), path)
    with pytest.raises(UnreadableData, match="list"):
        list(ExampleSource(str(path), text="text", label="label"))
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"text": "a", "label": ["joy"]}\n')
    with pytest.raises(BadRows, match="the label is a list"):
        list(ExampleSource(str(lines), text="text", label="label"))
