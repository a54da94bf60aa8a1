"""The dashboard's process: who it lets in, what it loads, how it leaves."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from hashlib import sha256

import pytest

from coffey.core.errors import ConfigError
from coffey.project.dashing import WRITE_ENVIRONMENT, DashOptions, read_keys, run_dashboard


def never(url: str, key: str | None) -> None:
    raise AssertionError(f"it listens at {url}")


def test_without_keys_only_this_machine_is_let_in(untouched):
    """Texts of users are shown: a dashboard that others reach asks for keys."""
    with pytest.raises(ConfigError, match="--api-keys"):
        run_dashboard(untouched.load().workspace, DashOptions(host="0.0.0.0", port=0), on_ready=never)


def test_a_port_that_is_taken_is_named(untouched):
    """The message says which address, and why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            run_dashboard(untouched.load().workspace, DashOptions(port=port), on_ready=never)


def test_keys_come_from_files_the_environment_and_the_run(tmp_path, monkeypatch):
    """Read keys and write keys are told apart; the key of this run may write."""
    digests = {name: sha256(name.encode()).hexdigest() for name in ("file", "environment")}
    (tmp_path / "keys").write_text(f"{digests['file']} ours\n")
    monkeypatch.setenv(WRITE_ENVIRONMENT, digests["environment"])
    read, write = read_keys(DashOptions(api_keys=tmp_path / "keys"), "fresh")
    assert read.allow(b"file")
    assert not read.allow(b"fresh")
    assert write.allow(b"environment")
    assert write.allow(b"fresh")
    assert not write.allow(b"file")
    nobody, none = read_keys(DashOptions(), None)
    assert not nobody.required
    assert none.allow(b"environment")


def test_the_dashboard_needs_no_torch():
    """The extra `watch` is enough: nothing of the training half is loaded."""
    code = (
        "import sys, coffey.project.dashing, coffey.project.board.board, coffey.dashboard.live.app;"
        "print([name for name in ('torch', 'transformers', 'onnx') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_it_answers_and_leaves_with_code_0(untouched):
    """One JSON object when it listens, a page with a strict head, and no complaint on Ctrl-C."""
    command = [sys.executable, "-m", "coffey", "dash", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=untouched.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["write_key"] is None
        with urllib.request.urlopen(f"{said['url']}models", timeout=60) as answer:
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert b"<h1>Models</h1>" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
