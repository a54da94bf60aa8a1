"""SQL sees every record once, and can change or reach nothing."""

from __future__ import annotations

import pyarrow as pa
import pytest

from coffey.core.errors import StoreUnavailable
from coffey.traffic.compact import compact
from coffey.traffic.layout import parquet_folder, segments_folder
from coffey.traffic.segment import SegmentWriter
from coffey.traffic.sql import QueryRefused, query

AUDITS = pa.table({"id": ["r000000"], "agree": [True]})


@pytest.fixture
def log(tmp_path, make_records):
    """Sixty records compacted, thirty in a segment that a server is writing."""
    root = tmp_path / "it's a store"
    records = make_records(90)
    for part, compacted in ((records[:60], True), (records[60:], False)):
        writer = SegmentWriter.create(segments_folder(root))
        writer.append(part)
        if compacted:
            writer.seal()
            compact(root)
    return root, records


def ask(log, statement, **options):
    return query(log[0], statement, beside={"audits": AUDITS}, **options)


def test_the_whole_log_is_one_view(log):
    """Counts, filters and order agree with the records themselves."""
    assert ask(log, "SELECT count(*) AS n, sum(audit::int) AS a FROM traffic").rows == ((90, 23),)
    found = ask(log, "SELECT id, text FROM traffic WHERE unix_s >= 0 ORDER BY unix_s")
    assert found.columns == ("id", "text")
    assert [row[0] for row in found.rows] == [record.id for record in log[1]]
    assert found.rows[7][1] == log[1][7].text


def test_audits_can_be_joined(log):
    """By the record's id."""
    joined = "SELECT t.label, a.agree FROM traffic t JOIN audits a USING (id)"
    assert ask(log, joined).rows == (("label0", True),)


def test_rows_are_limited_and_that_is_said(log):
    """A query for everything does not fill the screen or the memory."""
    found = ask(log, "SELECT id FROM traffic", limit=5)
    assert (len(found.rows), found.more) == (5, True)
    assert ask(log, "SELECT id FROM traffic LIMIT 5", limit=5).more is False


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW traffic",
        "CREATE TABLE x AS SELECT 1",
        "COPY (SELECT 1) TO 'here.csv'",
        "INSTALL httpfs",
        "SET lock_configuration = false",
        "ATTACH 'here.db'",
        "PRAGMA database_list; SELECT 1",
        "SELECT 1; SELECT 2",
        "",
    ],
)
def test_only_one_select_is_run(log, statement, tmp_path, monkeypatch):
    """Anything else is refused before it does anything."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(QueryRefused, match="Expected one SELECT"):
        ask(log, statement)
    assert sorted(tmp_path.rglob("*")) == before


def test_no_other_file_is_read(log, tmp_path):
    """Neither by a function nor by its name."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for source in (
        f"read_csv('{tmp_path}/secret.csv')",
        f"'{tmp_path}/secret.csv'",
        "read_text('/etc/passwd')",
    ):
        with pytest.raises(QueryRefused):
            ask(log, f"SELECT * FROM {source}")


def test_a_mistake_is_answered_in_a_line(log):
    """The name of the column that there is not."""
    with pytest.raises(QueryRefused, match="labels") as caught:
        ask(log, "SELECT labels FROM traffic")
    assert caught.value.exit_code == 2
    with pytest.raises(QueryRefused, match="syntax error"):
        ask(log, "SELECT * FORM traffic")


def test_a_damaged_file_is_named(log):
    """It is not the query's fault."""
    path = next(parquet_folder(log[0]).rglob("*.parquet"))
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(StoreUnavailable):
        ask(log, "SELECT count(*) FROM traffic")


def test_an_empty_store_answers_too(tmp_path):
    """No traffic is no rows."""
    assert query(tmp_path, "SELECT count(*) FROM traffic", beside={}).rows == ((0,),)
