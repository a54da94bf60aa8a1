"""Fifty kills at random moments, of ticks that re-distil and of a server beside them: the store is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from coffey.artifact.read import open_artifact
from coffey.control.audits import AuditLog
from coffey.control.journal import FINISHED, ControlJournal
from coffey.control.redistill import OPENED
from coffey.project.labelling import RECHECKED
from coffey.registry.protocol import CHAMPION
from coffey.traffic.selection import select

SCRIPT = Path(__file__).with_name("chaos.py")
KILLS, BATCH = 50, 8


@pytest.fixture(scope="module")
def struck(drifted, tmp_path_factory):
    """The project after the kills and one more tick, and what the script saw."""
    project = drifted.copy(tmp_path_factory.mktemp("chaos") / "project")
    project.edit("max_length = 32", "max_length = 32\ncheckpoint_seconds = 1e-6")
    project.edit("threads = 1\ncost", f"threads = 1\nbatch_size = {BATCH}\ncost")
    texts = project.new(300, seed=51)
    (project.folder / "chaos.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    command = [sys.executable, str(SCRIPT), str(project.config), str(KILLS), "31"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    project.load().tick()
    return project, json.loads(done.stdout)


@pytest.mark.slow
def test_as_many_were_killed_as_were_to_be(struck):
    """Ticks in the midst of a re-distillation, and servers."""
    killed = struck[1]["killed"]
    assert sum(killed.values()) >= KILLS
    assert killed["server"] >= 10
    assert killed["tick, re-distilling"] >= 10


@pytest.mark.slow
def test_the_re_distillation_came_to_its_end_once(struck, mended):
    """It is decided as in a run that nobody disturbed; its champion and all aliases are whole artifacts."""
    project = struck[0]
    journal = ControlJournal(project.store / "control" / "events")
    opened, finished = journal.entries(OPENED), journal.entries(FINISHED)
    assert [f"{entry.key}/{FINISHED}" for entry in opened] == [entry.key for entry in finished]
    assert finished[0].body["kind"] == mended.report.redistilled.decision.kind.value == "promote"
    keys = [entry.key for entry in journal.entries() if entry.key is not None]
    assert len(keys) == len(set(keys))
    space = project.load().workspace
    assert [event.kind for event in space.registry.events()].count("promote") == 2
    assert finished[0].body["version"] == space.registry.alias(CHAMPION)
    for name in space.registry.aliases():
        open_artifact(space.store / space.registry.resolve(name).artifact, trust=space.trust)


@pytest.mark.slow
def test_nothing_is_labelled_or_audited_twice(struck):
    """A kill costs the batch that the teacher was at; each run asks a few answers again on purpose."""
    project, saw = struck
    asked = Counter(project.asked())
    again = asked.total() - len(asked)
    runs = sum(saw["killed"].values()) + 1
    assert again <= runs * (BATCH + RECHECKED)
    shards = list(project.store.glob("labels/*/shards/*.parquet"))
    keys = [key for shard in shards for key in pq.read_table(shard, columns=["key"])["key"].to_pylist()]
    assert len(keys) == len(set(keys)) > 0
    audits = AuditLog(project.store / "audits").all()
    assert len({audit.id for audit in audits}) == len(audits)


@pytest.mark.slow
def test_traffic_is_compacted_once_and_holds_nothing_that_was_not_sent(struck):
    """A killed server loses what it had not written; what it wrote is there once."""
    project, saw = struck
    records = select(project.store).records()
    assert len({record.id for record in records}) == len(records)
    sent = Counter(saw["answered"]) + Counter(project.known(200, seed=5)) + Counter(project.new(500, seed=6))
    logged = Counter(record.text for record in records)
    assert logged.total() > 700
    assert not logged - sent
