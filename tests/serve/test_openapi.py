"""What the server answers is what its OpenAPI document says, whatever it is asked (Schemathesis)."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

CHECKS = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
RUN = "from schemathesis.cli import schemathesis; schemathesis()"


def test_no_request_gets_an_answer_that_is_not_documented(serve, ask, tmp_path) -> None:
    """Nor a 5xx, but the 504 of a client's own time-out. Bodies and headers keep to their schemas or not."""
    pytest.importorskip("schemathesis", reason="the extra dev has it")
    running = serve(settings={"max_body_bytes": 20_000})
    document = f"http://127.0.0.1:{running.port}/openapi.json"
    options = ["--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--max-examples", "20"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, "run", document, *options, "--mode", "all", "--seed", "17", "--no-color"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,  # it keeps what it found in a folder of its own
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "13 selected" in done.stdout
    metrics = ask(running.port, "GET", "/metrics").body.decode()
    statuses = set(re.findall(r'^coffey_requests_total{.*status="(\d+)"}', metrics, re.MULTILINE))
    assert statuses >= {"200", "415", "422"}
    assert {status for status in statuses if status >= "500"} <= {"504"}
