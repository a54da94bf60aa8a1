"""A selection counts and samples what reading everything would give, without reading everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coffey.traffic.compact import compact
from coffey.traffic.layout import parquet_folder, segments_folder
from coffey.traffic.query import read_traffic
from coffey.traffic.segment import SegmentWriter
from coffey.traffic.selection import select
from coffey.traffic.sql import query

MODEL = "ab" * 32


def write(root: Path, records, *, compacted: bool) -> None:
    writer = SegmentWriter.create(segments_folder(root))
    writer.append(records)
    writer.seal()
    if compacted:
        compact(root)


@pytest.fixture
def log(tmp_path, make_records):
    """300 records in Parquet (two segments that overlap in time) and in a segment."""
    records = [replace(record, text=f"text {n % 120}") for n, record in enumerate(make_records(300))]
    write(tmp_path, records[0:200:2], compacted=True)
    write(tmp_path, records[1:200:2], compacted=True)
    write(tmp_path, records[200:], compacted=False)
    return tmp_path, records


@pytest.mark.parametrize("start", [None, 0, 37, 150, 230, 299])
@pytest.mark.parametrize("model", [None, MODEL])
def test_what_is_counted_is_what_is_read(log, start, model):
    """By footers alone, where the moment lies outside of a file, and within one."""
    root, records = log
    since = None if start is None else records[start].unix_s
    wanted = [r for r in records if model in (None, r.model) and (since is None or r.unix_s >= since)]
    found = select(root, model=model, since=since)
    assert found.requests == len(wanted)
    assert found.records() == wanted
    assert found.records(audited=True) == [record for record in wanted if record.audit]


def test_the_latest_are_the_last_ones_wherever_they_lie(log):
    """Sizes within the segment, over both, and over everything."""
    root, records = log
    wanted = [record for record in records if record.model == MODEL]
    found = select(root, model=MODEL)
    for rows in (1, 30, 120, 1000):
        assert found.latest(rows) == [record.text for record in wanted][-rows:]


def test_spread_is_all_of_few_and_evenly_spaced_of_many(log):
    """As many as were asked for, from every part in proportion to its size."""
    root, records = log
    found = select(root)
    assert Counter(found.spread(1000)) == Counter(record.text for record in records)
    assert found.spread(30) == select(root).spread(30)
    assert len(found.spread(30)) == 30
    late = {record.text for record in records[200:]}
    assert sum(text in late for text in found.spread(30)) >= 10


def test_distinct_texts_have_their_exact_counts(log):
    """A sample that is too small for all texts still counts right those that it kept."""
    root, records = log
    truth = Counter(record.text for record in records)
    assert select(root).distinct(1000, seed=17) == truth
    some = select(root).distinct(40, seed=17)
    assert len(some) == 40
    assert all(truth[text] == count for text, count in some.items())
    assert set(some) != set(select(root).distinct(40, seed=18))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text("abcé", max_size=3), min_size=1, max_size=80),
    size=st.integers(1, 20),
    cut=st.floats(0, 1),
)
def test_where_records_lie_does_not_change_the_sample(tmp_path_factory, make_records, texts, size, cut):
    """One segment, or two of which one is compacted: the same texts with the same counts."""
    made = make_records(len(texts))
    records = [replace(record, text=text) for record, text in zip(made, texts, strict=True)]
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    write(one, records, compacted=False)
    write(two, records[: int(cut * len(records))], compacted=True)
    write(two, records[int(cut * len(records)) :], compacted=False)
    assert select(one).distinct(size, seed=3) == select(two).distinct(size, seed=3)


def test_each_distinct_text_is_as_likely_to_be_kept(tmp_path, make_records):
    """Over 200 seeds, 20 of 100 texts: frequent and rare ones alike, within five standard errors."""
    records = [replace(r, text=str(n if n < 90 else 90 + n % 10)) for n, r in enumerate(make_records(1000))]
    write(tmp_path, records, compacted=True)
    found = select(tmp_path)
    kept = Counter(text for seed in range(200) for text in found.distinct(20, seed=seed))
    shares = np.array([kept[str(text)] / 200 for text in range(100)])
    assert abs(shares[:90].mean() - shares[90:].mean()) < 5 * np.sqrt(0.16 / 200 / 10)
    assert shares.max() < 0.2 + 5 * np.sqrt(0.16 / 200)


def test_audited_requests_have_a_row_group_of_their_own(log):
    """So that reading them reads nothing else of a file."""
    root, _ = log
    groups = []
    for path in sorted(parquet_folder(root).rglob("*.parquet")):
        with pq.ParquetFile(path) as file:
            rows = [
                file.read_row_group(n, ["audit"])["audit"].to_pylist() for n in range(file.num_row_groups)
            ]
        groups.append([set(row) for row in rows])
    assert [{True}, {False}] in groups
    assert all(len(group) == 1 for file in groups for group in file)


def test_what_expires_between_looking_and_reading_is_left_out(log):
    """No error: the rest is read."""
    root, records = log
    found = select(root)
    compact(root, retention_days=1, now_unix_s=records[199].unix_s + 90 * 86_400)
    assert found.records() == records[200:]
    assert found.latest(500) == [record.text for record in records[200:]]
    assert len(found.spread(1000)) == 100


def test_an_empty_store_selects_nothing(tmp_path):
    """Nothing to count, nothing to sample."""
    found = select(tmp_path)
    assert (found.requests, found.latest(5), found.spread(5), found.distinct(5, seed=1)) == (0, [], [], {})
    assert read_traffic(tmp_path) == []


def test_files_of_an_earlier_version_are_read(log):
    """What was compacted before `audit_rate` was known: it is null there, in records and in SQL."""
    root, records = log
    for path in list(parquet_folder(root).rglob("*.parquet"))[:2]:
        with pq.ParquetFile(path) as file:
            table = file.read()
        pq.write_table(table.drop_columns("audit_rate"), path)
    assert select(root).records() == records
    found = query(root, "SELECT count(*), count(audit_rate) FROM traffic", beside={})
    assert found.rows == ((300, 0),)
