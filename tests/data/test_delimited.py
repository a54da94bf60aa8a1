"""CSV and TSV records keep their line numbers and survive bad neighbours."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.errors import UnreadableData
from coffey.data.delimited import MAX_RECORD_LINES, read_delimited


def read(content, *, delimiter=None, wanted=("text",)):
    raw = content if isinstance(content, bytes) else content.encode()
    table = read_delimited(io.BytesIO(raw), "d.csv", delimiter=delimiter, wanted=wanted)
    return [(line, row if isinstance(row, str) else row["text"]) for line, row in table.rows]


def good(rows):
    return [text for _, text in rows]


def test_line_numbers_stay_right_after_quoted_line_breaks():
    """A record is numbered by the line it begins on, however many lines records before it took."""
    content = 'text,label\r\n"two\r\nlines, and a ""quote""",a\r\n\r\nplain,b\r\n"three\n\nlines",c\nlast,d'
    assert read(content) == [
        (2, 'two\r\nlines, and a "quote"'),
        (5, "plain"),
        (6, "three\n\nlines"),
        (9, "last"),
    ]


def test_ragged_records_are_bad_rows():
    """Too few and too many fields are said with both counts."""
    assert read("text,label\nx\ny,a,b\nz,c\n") == [
        (2, "1 field(s) where the header has 2"),
        (3, "3 field(s) where the header has 2"),
        (4, "z"),
    ]


def test_an_unclosed_quote_costs_its_own_line_only():
    """The lines that an open quote would swallow are read as records."""
    rows = read('text,label\n"open,a\nx,b\n"y",c\nz,d\n')
    assert [line for line, _ in rows] == [2, 3, 4, 5]
    assert rows[0][1].startswith("not CSV")
    assert good(rows)[1:] == ["x", "y", "z"]


def test_an_unclosed_quote_in_a_long_file_is_given_up_after_a_bound():
    """A stray quote neither swallows the rest of the file nor makes us hold it."""
    rows = read('text,label\n"open,a\n' + "x,b\n" * (2 * MAX_RECORD_LINES))
    assert len(rows) == 2 * MAX_RECORD_LINES + 1
    assert "over 1000 lines" in rows[0][1]


def test_the_rest_of_a_broken_record_is_not_taken_for_data():
    """The second half of a broken multi-line record is bad too, not a row of its own."""
    rows = read('text,label\n"a"b\nrest",x\ngood,y\n')
    assert [line for line, _ in rows] == [2, 3, 4]
    assert rows[1][1] == "a stray quote after a broken record"
    assert rows[2][1] == "good"


def test_bad_bytes_in_a_quoted_record_spoil_that_record_only():
    """The byte's own line is named even inside a record of several lines."""
    rows = read(b'text,label\n"one\ncaf\xe9",a\nfine,b\n')
    assert rows == [(2, "not UTF-8: byte 0xE9 at position 4 of line 3"), (4, "fine")]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_header(mark):
    """A .csv file with another delimiter is read as it was meant."""
    assert read(f"id{mark}text{mark}label\n1{mark}x, y; z{mark}a\n".replace("x, y; z", "x y")) == [(2, "x y")]


def test_quotes_in_unquoted_tsv_are_characters():
    """TSV is often written without quoting; such lines are taken as they are, quoted ones are unquoted."""
    content = 'text\tlabel\n"Stop" she said\ta\n"open\tb\n"quoted ""x"""\tc\n'
    assert read(content, delimiter="\t") == [(2, '"Stop" she said'), (3, '"open'), (4, 'quoted "x"')]


def test_a_header_that_cannot_serve_is_an_error():
    """A broken header, or one that names the wanted column twice, is refused at once."""
    with pytest.raises(UnreadableData, match="more than once"):
        read("text,text\na,b\n")
    with pytest.raises(UnreadableData, match="header"):
        read(b"t\xe9xt,text\na,b\n")


def test_a_huge_field_is_a_bad_row():
    """A field over the csv module's limit is named, and the next row is read."""
    rows = read('text,label\n"' + "x" * 200_000 + '",a\nfine,b\n')
    assert [line for line, _ in rows] == [2, 3]
    assert "limit" in rows[0][1]


TEXTS = st.lists(
    st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1),
    min_size=1,
    max_size=6,
)


@given(TEXTS)
def test_what_the_csv_module_writes_is_read_back(texts):
    """Any text, with any quotes, delimiters and line breaks, survives writing and reading."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "label"])
    writer.writerows([text, "a"] for text in texts)
    assert good(read(buffer.getvalue())) == texts


@given(TEXTS, st.integers(0, 5), st.binary(min_size=1, max_size=20))
def test_a_garbage_line_never_changes_rows_before_it(texts, place, garbage):
    """Rows before a line of arbitrary bytes come out unchanged, with their line numbers."""
    plain = ["".join(char for char in text if char.isalnum()) or "x" for text in texts]
    lines = [f"{text},a".encode() for text in plain]
    lines.insert(min(place, len(lines)), garbage.replace(b"\n", b"?"))
    rows = read(b"text,label\n" + b"\n".join(lines) + b"\n")
    before = plain[: min(place, len(plain))]
    assert rows[: len(before)] == list(enumerate(before, start=2))
