from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust
from coffey.core.clock import monotonic
from coffey.core.errors import NotReady
from coffey.serve.audit import AuditChoice
from coffey.serve.batching import Batcher
from coffey.serve.dataplane import DataPlane
from coffey.traffic.log import TrafficLog
from coffey.traffic.segment import read_segment


def test_every_answered_text_is_one_record_with_its_audit_choice(
    artifact: Path, trust: Trust, tmp_path: Path
) -> None:
    """The log has all of an answer, and the audit choice can be made again from the record's id."""
    model = Predictor.load(artifact, trust=trust)
    audit = AuditChoice(rate=0.5, seed=9)
    log = TrafficLog(tmp_path)

    async def run() -> list[str]:
        batcher = Batcher(lambda: model)
        plane = DataPlane(batcher, audit=audit, log=log, wall=lambda: 1234.5)
        ids = []
        for texts in (["hello"], ["where is", "the parcel"], ["now"] * 30):
            started = monotonic()
            answer = await plane.answer(texts)
            plane.record(answer, texts, started, monotonic())
            ids.append(answer.id)
        assert plane.answered == 33
        batcher.close()
        return ids

    ids = asyncio.run(run())
    counters = log.close()
    (path,) = tmp_path.iterdir()
    records = read_segment(path).records
    assert counters.logged == len(records) == 33
    assert [r.id for r in records[:3]] == [ids[0], f"{ids[1]}-0", f"{ids[1]}-1"]
    assert [r.text for r in records[:3]] == ["hello", "where is", "the parcel"]
    assert len({r.id for r in records}) == 33
    for record in records:
        assert (record.unix_s, record.model, record.audit_probability) == (1234.5, artifact.name, 0.5)
        assert record.audit == audit.chosen(record.id, 0.5)
        found = model.predict([record.text])[0]
        assert record.label == model.labels[int(found.argmax())]
        assert record.confidence == pytest.approx(float(found.max()), abs=1e-5)
        assert record.latency_ms > 0
    assert {r.audit for r in records} == {True, False}


def test_a_closing_plane_refuses_before_work(artifact: Path, trust: Trust) -> None:
    """While it shuts down, a request is told to go elsewhere."""
    model = Predictor.load(artifact, trust=trust)
    plane = DataPlane(Batcher(lambda: model), audit=AuditChoice(rate=0.0, seed=1), log=None)
    plane.check_open()
    plane.closing = True
    with pytest.raises(NotReady):
        plane.check_open()
