"""The columns of a file are told apart by what is in them."""

from __future__ import annotations

import pytest

from coffey.core.errors import UnreadableData
from coffey.data.columns import propose_columns


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "a.csv",
            "id,utterance,intent\n1,turn on the light,on\n2,turn it off,off\n",
            ("utterance", "intent"),
        ),
        ("b.jsonl", '{"q": "what is the time", "y": "time"}\n' * 9, ("q", "y")),
        ("c.tsv", "text\tscore\nhello there\t0.25\nbye now\t0.5\n", ("text", None)),
        ("d.csv", "label;sentence\n1;a good film\n0;a bad film\n", ("sentence", "label")),
        ("e.csv", "", (None, None)),
        ("f.jsonl", '{"x": 1}\n', (None, None)),
    ],
)
def test_text_and_label_columns_are_proposed(put, name, content, expected):
    """Long strings are the text, repeating short values or well-known names the label; otherwise nothing."""
    found = propose_columns(put(name, content))
    assert (found.text, found.label) == expected


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    """The caller decides what to do without a proposal."""
    with pytest.raises(UnreadableData):
        propose_columns(str(tmp_path / "absent.csv"))
