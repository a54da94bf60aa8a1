"""Parquet files and saved `datasets` folders are read row by row, with class names and precise bad rows."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coffey.core.errors import MissingColumn, UnreadableData

CLASSES = {
    b"huggingface": json.dumps(
        {"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}
    ).encode()
}


def save_parquet(path, columns, metadata=None):
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata) if metadata else table, path, row_group_size=3)
    return str(path)


def save_folder(folder, columns, metadata=None):
    folder.mkdir(parents=True)
    table = pa.table(columns).replace_schema_metadata(metadata)
    names = [f"data-0000{place}-of-00002.arrow" for place in range(2)]
    for place, name in enumerate(names):
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.slice(place * 2, 2))
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    return str(folder)


def test_parquet_rows_are_numbered_and_other_columns_left_alone(tmp_path, source):
    """Row numbers run through row groups; nulls and blanks are bad rows; unread columns may hold anything."""
    columns = {
        "text": ["a", None, "c", " ", "e"],
        "label": ["x", "x", None, "y", "z"],
        "other": [[1], [2], None, [], [3]],
    }
    reader = source(save_parquet(tmp_path / "d.parquet", columns))
    assert [(one.text, one.label, one.line) for one in reader] == [
        ("a", "x", 1),
        ("c", None, 3),
        ("e", "z", 5),
    ]
    assert {row.line: row.reason for row in reader.report.bad} == {
        2: "the text is missing",
        4: "the text is missing",
    }


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_all_kinds_of_arrow_strings_are_text(tmp_path, source, kind):
    """Plain, large and dictionary-encoded strings read alike."""
    text = pa.array(["a", "b", "a"]).cast(kind)
    path = save_parquet(tmp_path / "d.parquet", {"text": text, "label": pa.array([0, 1, 1])})
    assert [(one.text, one.label) for one in source(path)] == [("a", "0"), ("b", "1"), ("a", "1")]


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ([1, 2], ["a", "b"], "column 'text' holds whole numbers, expected strings"),
        ([["x"], ["y"]], ["a", "b"], "column 'text' holds list"),
        (["x", "y"], [1.0, None], "column 'label' holds double"),
        ([b"x", b"y"], ["a", "b"], "column 'text' holds binary"),
    ],
)
def test_a_column_of_the_wrong_type_is_one_error(tmp_path, source, text, label, message):
    """A wrong declared type is said once, not for every row."""
    with pytest.raises(UnreadableData, match=message):
        list(source(save_parquet(tmp_path / "d.parquet", {"text": text, "label": label})))


def test_bad_bytes_in_a_string_column_spoil_their_row_only(tmp_path, source):
    """Files of other writers may hold strings that are not UTF-8: such a row is bad, the others are read."""
    raw = pa.array([b"good", b"caf\xe9", None, b"fine"], pa.binary())
    text = pa.StringArray.from_buffers(len(raw), raw.buffers()[1], raw.buffers()[2], raw.buffers()[0])
    reader = source(save_parquet(tmp_path / "d.parquet", {"text": text}), label=None)
    assert [one.text for one in reader] == ["good", "fine"]
    assert [row.reason for row in reader.report.bad] == [
        "the text is bytes that are not UTF-8, expected a string",
        "the text is missing",
    ]


def test_class_numbers_become_class_names(tmp_path, source):
    """The names that `datasets` keeps in the schema are used; -1 is no label, an unknown number stays one."""
    columns = {"text": list("abcd"), "label": [0, 1, -1, 5]}
    for path in (
        save_parquet(tmp_path / "d.parquet", columns, CLASSES),
        save_folder(tmp_path / "saved", columns, CLASSES),
    ):
        assert [one.label for one in source(path)] == ["no", "yes", None, "5"]


def test_a_saved_dict_with_one_split_and_a_split_of_several_are_read(tmp_path, source):
    """Shards are read in order, each with its own row numbers."""
    path = save_folder(tmp_path / "all" / "train", {"text": list("abcd"), "label": list("wxyz")})
    (tmp_path / "all" / "dataset_dict.json").write_text(json.dumps({"splits": ["train"]}))
    for url in (path, str(tmp_path / "all")):
        assert [(one.text, one.line) for one in source(url)] == [("a", 1), ("b", 2), ("c", 1), ("d", 2)]


def test_missing_columns_and_damaged_files_are_named(tmp_path, source, put):
    """The columns of the schema are listed; a file that is no Parquet or Arrow is called that."""
    with pytest.raises(MissingColumn, match="it has 'Text', 'n'. Did you mean 'Text'"):
        list(source(save_parquet(tmp_path / "d.parquet", {"Text": ["x"], "n": [1]})))
    with pytest.raises(UnreadableData, match="not a Parquet file"):
        list(source(put("e.parquet", b"no parquet")))
    with pytest.raises(UnreadableData, match="not an Arrow stream"):
        list(source(put("e.arrow", b"no arrow at all")))


def test_a_parquet_file_that_is_cut_off_inside_is_an_error(tmp_path, source):
    """Damage in the pages is met while reading and named, not taken for the end of the data."""
    path = tmp_path / "d.parquet"
    save_parquet(path, {"text": [f"text number {place}" for place in range(1000)], "label": ["a"] * 1000})
    data = bytearray(path.read_bytes())
    data[8:400] = bytes(392)
    path.write_bytes(data)
    with pytest.raises(UnreadableData):
        list(source(str(path)))


def test_without_pyarrow_the_extra_is_named():
    """Text formats work without pyarrow; Parquet says which extra to install."""
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import coffey.data.source, coffey.data.leakage\n"
        "from coffey.core.errors import MissingExtra\n"
        "try:\n    import coffey.data.parquet\n"
        "except MissingExtra as exc:\n    print(exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'coffey[watch]'" in done.stdout
