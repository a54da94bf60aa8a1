"""What a server is made of, and that it needs neither torch nor the teacher."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coffey.artifact.predictor import Predictor
from coffey.cli.app import app
from coffey.core.errors import ArtifactError, BadSignature, ConfigError, MissingExtra, UnknownVersion
from coffey.core.settings import PrivacySettings, ServeSettings
from coffey.project import serving
from coffey.project.serving import (
    Overrides,
    audit_probability,
    check_extras,
    serve_artifact,
    serve_champion,
)
from coffey.registry.protocol import CHAMPION
from coffey.traffic.layout import segments_folder
from coffey.traffic.redaction import DROPPED

SOURCE = Path(sys.modules["coffey"].__file__).parents[1]
HEAVY = ("torch", "transformers", "scipy", "pyarrow", "duckdb", "pandas", "jinja2")
SERVER = f"""
import atexit, json, sys
atexit.register(lambda: print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), flush=True))
sys.argv[0] = "coffey"
from coffey.__main__ import main
main()
"""


@pytest.fixture
def champion(distilled):
    space = distilled.load().workspace
    return space.store / space.registry.resolve(CHAMPION).artifact


def test_the_probability_of_an_audit_follows_from_the_plan(distilled):
    """As configured; else audits over requests a day, at most 1, and 1 without traffic."""
    settings = distilled.load().settings
    assert audit_probability(settings) == 0.5

    def at(requests, audits=100.0):
        monitor = replace(settings.monitor, audit_probability=None, audits_per_day=audits)
        economics = replace(settings.economics, requests_per_day=requests)
        return audit_probability(replace(settings, monitor=monitor, economics=economics))

    assert at(1000.0) == 0.1
    assert at(10.0) == 1.0
    assert at(0.0) == 1.0


def test_an_address_on_the_command_line_wins():
    """Host and port replace the configured ones where they are given; port 0 counts as given."""
    settings = ServeSettings(host="10.0.0.1", port=9000)
    assert Overrides().over(settings) == settings
    assert Overrides(host="::1", port=0).over(settings) == replace(settings, host="::1", port=0)


def test_a_folder_without_a_manifest_is_no_artifact(tmp_path):
    """The error names the folder and says what to name instead."""
    with pytest.raises(ArtifactError, match=r"no manifest\.json.*coffey distill"):
        serve_artifact(tmp_path, settings=ServeSettings())
    with pytest.raises(ArtifactError, match="no artifact"):
        serve_artifact(tmp_path / "absent", settings=ServeSettings())


def test_an_artifact_is_served_by_its_digest(champion, tmp_path):
    """The name is the digest, the log goes where it was told to, nothing is audited."""
    options = serve_artifact(champion, settings=ServeSettings(), log=tmp_path)
    assert options.resolve() == (champion.name, champion.resolve())
    assert options.log_folder == segments_folder(tmp_path)
    assert options.audit_probability == 0.0
    assert serve_artifact(champion, settings=ServeSettings()).log_folder is None


def test_an_artifact_of_an_unknown_maker_is_refused(champion, key_home, tmp_path, monkeypatch):
    """Another machine's key folder does not trust it, unless the maker's public key is given."""
    monkeypatch.setenv("COFFEY_HOME", str(tmp_path / "elsewhere"))
    options = serve_artifact(champion, settings=ServeSettings())
    with pytest.raises(BadSignature):
        options.load(champion)
    key = key_home / "signing-key.pub.pem"
    assert serve_artifact(champion, settings=ServeSettings(), keys=[key]).load(champion) is not None


def test_an_artifact_is_served_as_its_project_says(champion, live):
    """The name and the redaction are the project's; without one the name is `coffey` and texts are kept."""
    live.edit("[budget]", '[privacy]\ntext = "drop"\n\n[budget]')
    settings = live.load().settings
    options = serve_artifact(champion, settings=settings.serve, project=settings, folder=live.folder)
    assert options.model_name == settings.project.name
    assert options.redactor.text("a secret") == DROPPED
    alone = serve_artifact(champion, settings=ServeSettings())
    assert (alone.model_name, alone.redactor) == ("coffey", None)


def options_of(monkeypatch, *arguments):
    """What the command would serve."""
    seen = []
    monkeypatch.setattr("coffey.serve.workers.run_workers", lambda options, on_ready: seen.append(options))
    CliRunner().invoke(app, ["serve", *map(str, arguments)], catch_exceptions=False)
    return seen[0]


def test_the_command_reads_the_configuration_beside_it(champion, live, tmp_path, monkeypatch):
    """`[serve]` of ./coffey.toml holds for an artifact too; options win, and the file may be left aside."""
    live.edit("[budget]", "[serve]\nport = 9001\nmax_batch = 7\n\n[budget]")
    monkeypatch.chdir(live.folder)
    here = options_of(monkeypatch, champion, "--port", "9002")
    assert (here.settings.port, here.settings.max_batch) == (9002, 7)
    assert options_of(monkeypatch, champion, "--no-config").settings == ServeSettings()
    monkeypatch.chdir(tmp_path)
    assert options_of(monkeypatch, champion).settings == ServeSettings()
    assert options_of(monkeypatch, champion, "--config", live.config).settings.max_batch == 7
    with pytest.raises(ConfigError, match="a file that exists"):
        options_of(monkeypatch, champion, "--config", tmp_path / "absent.toml")


def test_the_champion_is_followed(two_versions):
    """What is resolved is the champion of the moment, before and after a move."""
    project, first, other = two_versions
    options = serve_champion(project.load().settings)
    assert options.resolve() == (first.digest, project.store / first.artifact)
    project.load().promote(other.name)
    assert options.resolve()[0] == other.digest
    project.load().rollback()
    assert options.resolve()[0] == first.digest
    assert options.audit_probability == 0.5


def test_without_a_champion_there_is_nothing_to_serve(untouched):
    """The registry says what it knows."""
    with pytest.raises(UnknownVersion, match="coffey distill"):
        serve_champion(untouched.load().settings).resolve()


def test_a_store_that_is_no_folder_is_refused(untouched):
    """This version says plainly that it needs a local folder."""
    untouched.edit('name = "small"', 'name = "small"\nstore = "s3://bucket/prefix"')
    with pytest.raises(ConfigError, match="local folder"):
        serve_champion(untouched.load().settings)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["artifact", "champion"])
def test_the_command_serves_and_has_loaded_nothing_heavy(distilled, live, champion, what):
    """`coffey serve` answers as the artifact does, ends with 0 on SIGTERM, and loaded no torch & co."""
    texts = distilled.known(5, seed=71)
    space = distilled.load().workspace
    predictor = Predictor.load(champion, trust=space.trust)
    expected = [predictor.labels[index] for index in predictor.predict(texts).argmax(axis=1)]
    named = [str(champion)] if what == "artifact" else ["--config", str(live.config)]
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, "serve", *named, "--port", "0", "--json"],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            ready = json.loads(process.stdout.readline())
            answers = ask(ready, texts)
            mapped = Path(f"/proc/{process.pid}/maps").read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            loaded, _ = process.communicate(timeout=30)
    assert ready["pid"] == process.pid
    assert process.returncode == 0
    assert [answer["label"] for answer in answers] == expected
    assert json.loads(loaded) == []
    assert "onnxruntime" in mapped
    assert [library for library in ("libtorch", "libarrow", "duckdb", "/scipy/") if library in mapped] == []
    if what == "champion":
        assert live.load().tick().requests == len(texts)


def ask(ready, texts):
    request = urllib.request.Request(
        f"http://{ready['host']}:{ready['port']}/v1/predict",
        json.dumps({"inputs": texts}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())["predictions"]


def test_the_server_redacts_what_it_logs(live):
    """`privacy.text` reaches the log's writer; requests chosen for audit keep their text."""
    live.edit("[budget]", '[privacy]\ntext = "drop"\n\n[budget]')
    redactor = serve_champion(live.load().settings, folder=live.folder).redactor
    assert redactor.text("a secret") == DROPPED
    assert serve_champion(replace(live.load().settings, privacy=PrivacySettings())).redactor.keeps


@pytest.mark.parametrize(
    ("asked", "extra"), [({"grpc_port": 0}, "grpc"), ({"traces": True}, "otel"), ({}, None)]
)
def test_an_extra_that_is_missing_is_named_before_anything_starts(monkeypatch, asked, extra) -> None:
    """The message says what to install; who asks for neither needs neither."""
    monkeypatch.setattr(serving, "find_spec", lambda module: None)
    refused = nullcontext() if extra is None else pytest.raises(MissingExtra, match=rf"coffey\[{extra}\]")
    with refused:
        check_extras(ServeSettings(**asked))
