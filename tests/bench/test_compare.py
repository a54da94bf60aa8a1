"""Student and teacher are measured in one run, in process and through a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from coffey.artifact.signing import PUBLIC_KEY, Trust
from coffey.bench.compare import bench_artifacts
from coffey.bench.options import BenchOptions, TeacherCall
from coffey.bench.server_process import ServerProcess
from coffey.core.errors import NotReady

TEXTS = ["yes no yes", "no", "yes yes yes no yes"] * 10


def test_a_larger_teacher_is_slower_and_both_ratios_are_said(
    make_artifact: Callable[..., Path], trust: Trust
) -> None:
    """The ratios are those of one run on one runtime."""
    found = bench_artifacts(
        make_artifact(params=100),
        make_artifact(hidden=60_000, params=5000),
        TEXTS,
        trust=trust,
        options=BenchOptions(latency_p99_ms=10_000, seconds=0.3, http=False, trials=3),
    )
    assert found.params_ratio == 50
    assert found.latency_ratio is not None
    assert found.latency_ratio > 1
    assert found.within_budget
    assert found.max_rps_within_slo > 0
    said = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert {"teacher_p50_ms", "student_p50_ms", "teacher_p99_ms", "student_p99_ms"} <= set(said["latency"])
    assert {"params_ratio", "latency_ratio", "max_rps_within_slo", "machine", "versions"} <= set(said)


def test_a_function_is_timed_as_it_is_and_a_missed_promise_is_said(
    make_artifact: Callable[..., Path], trust: Trust
) -> None:
    """A teacher that cannot be exported has a latency but perhaps no size; nothing keeps 0.1 microseconds."""
    found = bench_artifacts(
        make_artifact(),
        TeacherCall(call=lambda texts: sum(range(2000))),
        TEXTS,
        trust=trust,
        options=BenchOptions(latency_p99_ms=0.0001, seconds=0.2, http=False, trials=2),
    )
    assert found.params_ratio is None
    assert found.latency_ratio is not None
    assert not found.within_budget
    assert "does not hold" in found.verdict


@pytest.mark.slow
def test_the_server_is_measured_as_users_meet_it(
    make_artifact: Callable[..., Path], trust: Trust, keys: Path
) -> None:
    """`coffey serve` in its own process, asked over loopback, and ended."""
    found = bench_artifacts(
        make_artifact(),
        None,
        TEXTS,
        trust=trust,
        options=BenchOptions(
            latency_p99_ms=10_000,
            seconds=0.5,
            trials=2,
            serve_arguments=("--public-key", str(keys / PUBLIC_KEY)),
        ),
    )
    assert found.promised.path == "http"
    assert found.promised.errors == 0
    assert found.promised.p50_ms > found.student.p50_ms
    assert found.ledger is not None
    assert found.ledger.requests >= found.promised.requests
    mean_us = sum(spent for step, spent in found.ledger.mean_us().items() if step != "log")
    assert 0 < mean_us / 1000 < found.promised.mean_ms
    assert found.teacher is None
    assert found.latency_ratio is None


def test_a_server_that_does_not_start_is_explained() -> None:
    """The end of its stderr is in the error."""
    import sys

    command = [sys.executable, "-c", "import sys; sys.exit('no model here')"]
    with pytest.raises(NotReady, match="no model here"), ServerProcess(command):
        pass


def test_a_server_that_says_nonsense_is_ended() -> None:
    """It is stopped, and what it said is in the error."""
    import sys

    command = [sys.executable, "-c", "import time; print('hello', flush=True); time.sleep(60)"]
    with pytest.raises(NotReady, match="hello"), ServerProcess(command):
        pass
