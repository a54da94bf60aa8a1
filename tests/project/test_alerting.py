"""A tick tells what it decided through what `[alerts]` names, and leaves its gauges."""

from __future__ import annotations

import json
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from coffey.core.errors import ConfigError
from coffey.project.alerting import SECRET_VARIABLE, build_channels


def configure(project, lines):
    project.edit("[budget]", f"[alerts]\n{lines}\n\n[budget]")


def gauges(path):
    return {
        (sample.name, sample.labels.get("kind")): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }


def test_a_tick_tells_a_command_once_and_writes_gauges(live, tmp_path):
    """A drop in the middle of known traffic: one alert for two ticks, gauges at both."""
    heard = tmp_path / "heard.jsonl"
    code = f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read() + chr(10))"
    command = json.dumps([sys.executable, "-c", code])
    configure(live, f'on = ["healthy"]\ncommand = {command}\ntextfile = "coffey.prom"')
    live.serve(live.known(60, seed=81))
    report = live.load().tick()
    live.serve(live.known(20, seed=82))
    live.load().tick()
    (alert,) = [json.loads(line) for line in heard.read_text().splitlines()]
    assert (alert["kind"], alert["reason"]) == ("healthy", report.decision.reason)
    found = gauges(live.folder / "coffey.prom")
    assert found["coffey_requests", None] == 80
    assert found["coffey_audits", None] == 40
    assert found["coffey_decision", "healthy"] == 1
    assert found["coffey_decision", "redistill"] == 0
    assert found["coffey_agreement_low", None] <= found["coffey_agreement", None]
    assert found["coffey_tick_timestamp_seconds", None] > 1.7e9


def test_what_cannot_work_is_refused_before_anything_is_done(live, monkeypatch):
    """A webhook without a secret, a decision that there is not."""
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    configure(live, 'webhook = "http://127.0.0.1:9/"')
    with pytest.raises(ConfigError, match=SECRET_VARIABLE):
        live.load().tick()
    monkeypatch.setenv(SECRET_VARIABLE, "s")
    assert [channel.name for channel in build_channels(live.load().settings)] == ["webhook"]
    live.edit('webhook = "http://127.0.0.1:9/"', 'on = ["sick"]')
    with pytest.raises(ConfigError, match=r"alerts\.on"):
        live.load().tick()
