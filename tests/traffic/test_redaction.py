"""What is redacted stays redacted, and nothing that a rule fails on is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffey.core.errors import ConfigError
from coffey.traffic.compact import compact
from coffey.traffic.layout import parquet_folder, segments_folder
from coffey.traffic.log import TrafficLog
from coffey.traffic.query import read_traffic
from coffey.traffic.redaction import DROPPED, Redactor, is_redacted, redactor
from coffey.traffic.segment import SegmentWriter
from coffey.traffic.selection import select
from coffey.traffic.settle import redact_settled

FOLDER = Path()


def broken(text: str) -> str:
    raise ValueError(text)


@given(st.text(max_size=30), st.sampled_from(["keep", "hash", "drop"]))
def test_redacting_twice_is_redacting_once(text, rule):
    """And only a rule that keeps shows the text."""
    made = redactor(rule, folder=FOLDER, key=b"secret")
    once = made.text(text)
    assert made.text(once) == once
    assert made.keeps == (rule == "keep")
    if rule != "keep":
        assert is_redacted(once)
        assert len(text) < 3 or text not in once


def test_digests_depend_on_the_key():
    """Equal texts can be counted; without the key nobody can look a text up."""
    one, other = (redactor("hash", folder=FOLDER, key=key) for key in (b"one", b"other"))
    assert one.text("a") == one.text("a") != one.text("b")
    assert one.text("a") != other.text("a")


@pytest.mark.parametrize("rule", [broken, lambda text: None, lambda text: text + "!", len])
def test_a_rule_that_fails_drops_and_is_counted(rule):
    """It raises, answers with no text, or would change its own answer."""
    made = Redactor(rule)
    assert made.text("a secret") == DROPPED
    assert made.failures == 1


def test_a_function_of_the_user_is_imported_from_its_folder(tmp_path, monkeypatch):
    """It masks; what it masked is still a text that can be learned from."""
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])
    code = "import re\ndef mask(text):\n    return re.sub(r'[0-9]+', '#', text)\n"
    (tmp_path / "masking_rules.py").write_text(code)
    made = redactor("masking_rules:mask", folder=tmp_path)
    assert made.text("call 555 1234") == "call # #"
    assert not is_redacted(made.text("call 555 1234"))
    for wrong in (
        "masking_rules:none",
        "masking_rules:re",
        "no_such_module_here:mask",
        "masking_rules",
        "remove",
    ):
        with pytest.raises(ConfigError, match="privacy.text"):
            redactor(wrong, folder=tmp_path)


def test_the_log_writes_what_is_kept(tmp_path, make_records):
    """Requests chosen for audit keep their text; of the others nothing reaches the disk."""
    records = make_records(400)
    log = TrafficLog(segments_folder(tmp_path), redactor=redactor("drop", folder=FOLDER))
    for record in records:
        log.put(record)
    counters = log.close()
    assert (counters.served, counters.logged, counters.redaction_failures) == (400, 400, 0)
    kept = read_traffic(tmp_path)
    assert [one.text for one in kept if one.audit] == [one.text for one in records if one.audit]
    assert {one.text for one in kept if not one.audit} == {DROPPED}
    assert [replace(one, text="") for one in kept] == [replace(one, text="") for one in records]


def test_a_failing_function_costs_a_text_but_no_record(tmp_path, make_records):
    """The record is logged without its text, and the failure is counted."""
    log = TrafficLog(segments_folder(tmp_path), redactor=Redactor(broken))
    for record in make_records(8):
        log.put(record)
    counters = log.close()
    assert (counters.logged, counters.dropped, counters.redaction_failures) == (8, 0, 6)


@pytest.fixture
def compacted(tmp_path, make_records):
    records = [replace(record, text=f"secret {record.id}") for record in make_records(120)]
    writer = SegmentWriter.create(segments_folder(tmp_path))
    writer.append([Redactor(lambda text: DROPPED).record(record) for record in records])
    writer.seal()
    compact(tmp_path)
    return tmp_path, records


def test_audited_texts_go_once_nobody_waits_for_them(compacted):
    """But those that wait; a second run changes nothing, not even a file's time."""
    root, records = compacted
    audited = [record for record in records if record.audit]
    waiting = {audited[3].id}
    made = redactor("hash", folder=FOLDER)
    assert redact_settled(root, made, waiting=waiting) == len(audited) - 1
    assert [r.text for r in read_traffic(root) if not is_redacted(r.text)] == [audited[3].text]
    before = {path: path.stat().st_mtime_ns for path in parquet_folder(root).rglob("*.parquet")}
    assert redact_settled(root, made, waiting=waiting) == 0
    assert {path: path.stat().st_mtime_ns for path in parquet_folder(root).rglob("*.parquet")} == before
    assert redact_settled(root, made, waiting=frozenset()) == 1
    for path in before:
        assert b"secret" not in path.read_bytes()
        assert pq.read_metadata(path).num_rows > 0
    assert [replace(r, text="") for r in read_traffic(root)] == [replace(r, text="") for r in records]


def test_keeping_rewrites_nothing(compacted):
    """The usual case costs nothing."""
    root, records = compacted
    assert redact_settled(root, redactor("keep", folder=FOLDER), waiting=frozenset()) == 0
    assert sum(record.text.startswith("secret") for record in read_traffic(root)) == 30


def test_redacted_texts_are_in_no_sample(compacted):
    """Counts speak of all requests, samples of what can be read."""
    root, records = compacted
    found = select(root)
    audited = {record.text for record in records if record.audit}
    assert found.requests == 120
    assert set(found.latest(500)) == set(found.spread(500)) == set(found.distinct(500, seed=1)) == audited
