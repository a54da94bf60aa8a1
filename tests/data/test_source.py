"""Examples stream from every format; every bad row is named by file and line and spoils no other."""

from __future__ import annotations

import gzip
import json
from contextlib import closing

import pytest

from coffey.core.errors import BadRows, EmptyData, MissingColumn, UnreadableData
from coffey.core.records import Example
from coffey.data.source import KEPT_BAD_ROWS


def bad(examples_source):
    return {row.line: row.reason for row in examples_source.report.bad}


def test_every_text_format_gives_the_same_examples(put, source):
    """The same rows are the same examples, whatever the format and compression."""
    csv, tsv = "text,label\nhello,a\nbye,b\n", "text\tlabel\nhello\ta\nbye\tb\n"
    jsonl = '{"text": "hello", "label": "a"}\n{"label": "b", "text": "bye"}\n'
    for name, content in {"d.csv": csv, "d.tsv": tsv, "d.jsonl": jsonl, "d.json": jsonl}.items():
        for path in (put(name, content), put(name + ".gz", gzip.compress(content.encode()))):
            found = [(one.text, one.label, one.source) for one in source(path)]
            assert found == [("hello", "a", path), ("bye", "b", path)]


def test_a_source_can_be_walked_again(put, source):
    """A second walk reads the files again and gives the same."""
    reader = source(put("d.jsonl", '{"text": "x"}\n'), label=None)
    assert list(reader) == list(reader)
    assert reader.report.rows == 1


def test_byte_order_mark_and_windows_line_ends_are_no_part_of_the_data(put, source):
    """A BOM does not change the first column's name, and CRLF does not end up in the last field."""
    path = put("d.csv", b"\xef\xbb\xbftext,label\r\nhello,a\r\nbye,b\r\n")
    assert [(one.text, one.label) for one in source(path)] == [("hello", "a"), ("bye", "b")]
    path = put("d.jsonl", b'\xef\xbb\xbf{"text": "hello"}\r\n{"text": "bye"}\r\n')
    assert [one.text for one in source(path, label=None)] == ["hello", "bye"]


def test_latin_1_bytes_spoil_their_own_line_only(put, source):
    """A line that is not UTF-8 is named with its byte and position; its neighbours are read."""
    path = put("d.csv", b"text,label\ngood,a\ncaf\xe9,b\nfine,c\n")
    reader = source(path)
    assert [one.text for one in reader] == ["good", "fine"]
    assert bad(reader) == {3: "not UTF-8: byte 0xE9 at position 4 of line 3"}
    path = put("d.jsonl", b'{"text": "good"}\n{"text": "caf\xe9"}\n{"text": "fine"}\n')
    reader = source(path, label=None)
    assert [one.line for one in reader] == [1, 3]
    assert list(bad(reader)) == [2]


def test_bad_jsonl_lines_are_named_by_line_and_reason(put, source):
    """Every way for a JSONL line to be bad has its own words, and blank lines count as lines only."""
    lines = [
        '{"text": "good", "label": "a"}',
        "",
        "{not json}",
        "42",
        '{"label": "a"}',
        '{"text": null}',
        '{"text": "  "}',
        '{"text": 5}',
        '{"text": ["x"]}',
        '{"text": "nul \\u0000"}',
        '{"text": "half \\ud800"}',
        '{"text": "x", "label": 1.5}',
        '{"text": "x", "label": true}',
        '{"text": "number label", "label": 7}',
        '{"text": "unlabelled", "label": ""}',
        '{"text": "cut off',
    ]
    reader = source(put("d.jsonl", "\n".join(lines)))
    assert [(one.text, one.label, one.line) for one in reader] == [
        ("good", "a", 1),
        ("number label", "7", 14),
        ("unlabelled", None, 15),
    ]
    found = bad(reader)
    assert sorted(found) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16]
    assert found[4] == "a JSON int, expected an object"
    assert found[5] == "there is no 'text'"
    assert found[6] == found[7] == "the text is missing"
    assert found[8] == "the text is a number, expected a string"
    assert found[10] == "the text has a NUL character"
    assert found[13] == "the label is true or false, expected a string or a whole number"
    assert reader.report.rows == 3
    assert reader.report.labelled == 2


def test_refused_rows_are_raised_together_at_the_end(put, source):
    """Under `refuse` the good rows stream, and then one error names all bad rows of all files."""
    first = put("a.jsonl", '{"text": "x"}\n{bad}\n')
    second = put("b.jsonl", '{"text": ""}\n{"text": "y"}\n')
    seen: list[Example] = []
    with pytest.raises(BadRows) as caught:
        seen.extend(source(first, second, label=None, skip=False))
    assert [(row.source, row.line) for row in caught.value.rows] == [(first, 2), (second, 1)]
    assert caught.value.total == 2
    assert f"{second}:1: the text is missing" in str(caught.value)


def test_good_rows_stream_before_bad_rows_are_raised(put, source):
    """A caller that stops early gets its rows and a report of what was read until then."""
    reader = source(
        put("d.jsonl", '{"text": "x"}\n{bad}\n{"text": "y"}\n{"text": "z"}\n'), label=None, skip=False
    )
    with closing(iter(reader)) as walk:
        assert [next(walk).text, next(walk).text] == ["x", "y"]
    assert (reader.report.rows, reader.report.bad_count) == (2, 1)


def test_all_bad_rows_are_counted_and_the_first_thousand_kept(put, source):
    """The count is exact even where the list is cut."""
    reader = source(put("d.jsonl", '{"text": "x"}\n' + '{"text": ""}\n' * (KEPT_BAD_ROWS + 5)), label=None)
    assert len(list(reader)) == 1
    assert reader.report.bad_count == KEPT_BAD_ROWS + 5
    assert len(reader.report.bad) == KEPT_BAD_ROWS


@pytest.mark.parametrize(
    ("name", "content"), [("d.csv", "txt,label\nx,a\n"), ("d.jsonl", '{"txt": "x", "label": "a"}\n')]
)
def test_a_missing_column_names_those_there_are_and_the_nearest(put, source, name, content):
    """A misspelled column is one clear error, not a bad row for every row."""
    with pytest.raises(MissingColumn, match=r"no column 'text'; it has 'txt', 'label'. Did you mean 'txt'\?"):
        list(source(put(name, content)))


def test_a_label_column_may_be_absent_only_where_that_is_said(put, source):
    """A transfer file without labels is unlabelled where labels are optional, and an error elsewhere."""
    for path in (put("d.csv", "text\nx\n"), put("d.jsonl", '{"text": "x"}\n')):
        assert [one.label for one in source(path, label_required=False)] == [None]
        with pytest.raises(MissingColumn, match="'label'"):
            list(source(path))


def test_a_long_jsonl_file_without_the_column_is_not_read_to_its_end(put, source):
    """After 1,000 objects without the key, the column counts as missing."""
    path = put("d.jsonl", '{"body": "x"}\n' * 5000)
    reader = source(path)
    with pytest.raises(MissingColumn):
        list(reader)
    assert reader.report.bad_count < 1001


@pytest.mark.parametrize("name", ["d.csv", "d.tsv", "d.jsonl", "d.csv.gz"])
def test_an_empty_file_is_said_to_be_empty(put, source, name):
    """A source without any row is an error that says so."""
    path = put(name, gzip.compress(b"") if name.endswith("gz") else b"")
    with pytest.raises(EmptyData, match="empty"):
        list(source(path))


def test_a_header_alone_and_only_bad_rows_are_no_data_either(put, source):
    """No usable row is an error even under `skip`, with the reason."""
    with pytest.raises(EmptyData, match="the files are empty"):
        list(source(put("d.csv", "text,label\n")))
    with pytest.raises(EmptyData, match="all 2 rows are bad"):
        list(source(put("e.jsonl", "{\n{\n")))


def test_an_empty_file_among_others_does_no_harm(put, source):
    """Files are one set: an empty shard is fine."""
    assert len(list(source(put("a.csv", ""), put("b.csv", "text,label\nx,a\n")))) == 1


@pytest.mark.parametrize("content", [gzip.compress(b'{"text": "x"}\n' * 1000)[:-12], b"no gzip at all"])
def test_damaged_gzip_is_named(put, source, content):
    """A truncated or false .gz file is a data error with the file's name."""
    path = put("d.jsonl.gz", content)
    with pytest.raises(UnreadableData, match="d.jsonl.gz"):
        list(source(path, label=None))


def test_other_encodings_and_json_arrays_are_refused_with_the_remedy(put, source):
    """UTF-16 files and one big JSON array say what to do instead."""
    with pytest.raises(UnreadableData, match="save it as UTF-8"):
        list(source(put("d.csv", "text,label\nx,a\n".encode("utf-16"))))
    with pytest.raises(UnreadableData, match="one object a line"):
        list(source(put("d.json", json.dumps([{"text": "x"}]))))
