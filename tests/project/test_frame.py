"""Traffic, audits and soft labels as tables."""

from __future__ import annotations

import io
import json

import duckdb
import pyarrow as pa
import pytest
from rich.console import Console

from coffey.data.source import ExampleSource
from coffey.project.frame import Frame, table_of
from coffey.traffic.sql import QueryRefused


def test_traffic_and_audits_are_tables(live):
    """Everything that was served, compacted or not, and what the teacher said to the audits."""
    live.serve(live.known(20, seed=5))
    project = live.load()
    assert len(project.traffic()) == 20
    project.tick()
    live.serve(live.known(6, seed=6))
    traffic = project.traffic().to_arrow()
    assert traffic.num_rows == 26
    audits = project.audits().to_arrow().to_pylist()
    assert len(audits) == 10
    assert {one["student_label"] for one in audits} <= {"billing", "delivery", "account"}
    labels = project.sql("SELECT label, count(*) AS n FROM traffic GROUP BY label").to_arrow()
    assert sum(labels["n"].to_pylist()) == 26


def test_a_query_is_refused_when_it_is_read(live):
    """Nothing but one SELECT; nothing is read before it is asked for."""
    frame = live.load().sql("DROP TABLE traffic")
    with pytest.raises(QueryRefused):
        frame.to_arrow()


def test_soft_labels_stand_beside_their_texts(live):
    """Row by row what the teacher answers; nothing is asked; unanswered inputs are left out."""
    project = live.load()
    table = project.soft_labels().to_arrow()
    assert live.asked() == []
    rows = table.to_pylist()
    assert {row["set"] for row in rows} == {"transfer", "holdout"}
    field = table.schema.field("probabilities")
    assert json.loads(field.metadata[b"labels"]) == ["billing", "delivery", "account"]
    again = project.workspace.teacher.predict([row["text"] for row in rows[:5]])
    for row, said in zip(rows, again, strict=False):
        assert row["probabilities"] == pytest.approx(said.tolist(), abs=1e-6)
        assert row["teacher"] == row["label"]
    assert live.copy(live.folder.with_name("empty")).load().soft_labels().to_arrow().num_rows == len(rows)


def test_inputs_that_were_never_asked_are_left_out(untouched):
    """An empty table with the same columns."""
    table = untouched.load().soft_labels().to_arrow()
    assert table.num_rows == 0
    assert table.column_names == ["set", "key", "text", "label", "teacher", "probabilities"]


def test_what_reads_arrow_reads_a_frame():
    """By the PyCapsule interface: DuckDB, Polars and pandas take it as it is."""
    frame = Frame(lambda: table_of([{"a": 1, "b": "x"}, {"b": "y"}]))
    assert pa.table(frame).to_pylist() == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    assert duckdb.sql("SELECT sum(a) FROM frame").fetchall() == [(1,)]


def test_a_frame_shows_its_first_rows():
    """Escaped in a notebook, no markup in a terminal."""
    frame = Frame(lambda: table_of([{"<b>": "[red]<i>"}] * 30))
    shown = frame._repr_html_()
    assert shown.count("<tr>") == 11
    assert "&lt;b&gt;" in shown
    assert "[red]&lt;i&gt;" in shown
    console = Console(file=io.StringIO(), width=100)
    console.print(frame)
    assert "[red]<i>" in console.file.getvalue()
    assert "30 rows" in console.file.getvalue()


def test_a_dataset_goes_out_and_comes_back(live, tmp_path):
    """Soft labels as a `datasets.Dataset`; the folder that it saves is read as data."""
    pytest.importorskip("datasets")
    frame = live.load().soft_labels()
    dataset = frame.to_dataset()
    assert dataset.num_rows == len(frame)
    dataset.save_to_disk(tmp_path / "saved")
    read = list(ExampleSource(str(tmp_path / "saved"), text="text", label="label", bad_rows="refuse"))
    assert [(one.text, one.label) for one in read] == list(
        zip(dataset["text"], dataset["label"], strict=True)
    )
