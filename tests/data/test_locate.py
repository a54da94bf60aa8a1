"""What the user wrote leads to the right files, or to an error that says what is there."""

from __future__ import annotations

import json

import fsspec
import pytest

from coffey.core.errors import MissingExtra, UnreadableData
from coffey.data.locate import locate


def test_globs_are_sorted_and_files_named_twice_are_read_once(put, tmp_path):
    """Overlapping patterns do not repeat rows."""
    second, first = put("b.jsonl", ""), put("a.jsonl", "")
    put("c.txt", "")
    deep = put("deep/er/d.jsonl", "")
    assert [file.name for file in locate([f"{tmp_path}/*.jsonl", first])] == [first, second]
    assert [file.name for file in locate([f"{tmp_path}/**/*.jsonl"])] == [first, second, deep]


def test_a_file_whose_name_looks_like_a_glob_is_found(put):
    """A path that exists is taken literally."""
    path = put("data[1].csv", "")
    assert [file.name for file in locate([path])] == [path]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent.csv", "no such file"),
        ("*.parquet", "matches no file"),
        ("notes.txt", "format is not known; expected one of .csv"),
        ("x.parquet.gz", "format is not known"),
        (".", "did not save"),
    ],
)
def test_what_cannot_be_read_is_said(put, tmp_path, name, reason):
    """Missing files, empty globs, unknown formats and plain folders each have their own words."""
    put("notes.txt", "")
    put("x.parquet.gz", "")
    with pytest.raises(UnreadableData, match=reason):
        locate([f"{tmp_path}/{name}"])


def test_urls_are_read_through_fsspec(tmp_path):
    """A URL of another file system works like a path, and its files keep the URL in their names."""
    memory = fsspec.filesystem("memory")
    memory.pipe("/coffey-locate/a.jsonl", b'{"text": "x"}\n')
    (file,) = locate(["memory://coffey-locate/*.jsonl"])
    assert file.name.startswith("memory://")
    with file.open() as stream:
        assert stream.read() == b'{"text": "x"}\n'


def test_unknown_protocols_are_refused():
    """A protocol that nobody knows is a data error; one whose package is missing names the extra."""
    with pytest.raises(UnreadableData, match="nosuch"):
        locate(["nosuch://bucket/a.csv"])


def test_a_protocol_without_its_package_names_the_extra(monkeypatch):
    """`s3://` without s3fs says which extra brings it."""

    def missing(url):
        raise ImportError("Install s3fs to access S3", name="s3fs")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingExtra, match=r"coffey\[s3\]"):
        locate(["s3://bucket/a.csv"])


def test_a_saved_dict_of_several_splits_asks_for_one(put, tmp_path):
    """A DatasetDict is not guessed at: the splits are listed."""
    put("saved/dataset_dict.json", json.dumps({"splits": ["train", "test"]}))
    with pytest.raises(UnreadableData, match=r"saved/train, .*saved/test"):
        locate([f"{tmp_path}/saved"])


def test_a_damaged_saved_folder_is_named(put, tmp_path):
    """Broken state files are data errors."""
    put("saved/state.json", "{")
    with pytest.raises(UnreadableData, match="state.json is not JSON"):
        locate([f"{tmp_path}/saved"])
    put("old/state.json", json.dumps({"_data_files": [], "_indices_data_files": [{"filename": "i.arrow"}]}))
    with pytest.raises(UnreadableData, match="indices"):
        locate([f"{tmp_path}/old"])
