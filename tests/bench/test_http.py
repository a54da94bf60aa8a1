"""Over HTTP too, latency counts from the schedule, failures are errors, and the client is another process."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coffey.bench.arrivals import poisson_arrivals
from coffey.bench.http import Target, closed_http, open_http, predict_bodies
from coffey.bench.http_client import Job, run_closed, run_open
from coffey.core.errors import ServeError

STALL_MS = 400


def job(port: int, **options: Any) -> Job:
    options = {"warmup": 5, "connections": 8, "timeout_s": 5.0, **options}
    return Job(host="127.0.0.1", port=port, path="/", bodies=[b"{}"], **options)


def test_one_stall_of_the_server_shows_in_the_open_loop_only(stalling_server: Any) -> None:
    """The tail of Poisson arrivals has the stall; one caller alone meets it once and forgets it."""
    arrivals = poisson_arrivals(150, 2, np.random.default_rng(1)).tolist()
    with stalling_server(stall_at=100).running() as server:
        opened = run_open(job(server.port), arrivals)
    with stalling_server(stall_at=100).running() as server:
        closed = run_closed(job(server.port), 1.5)
    open_p99 = np.quantile(opened.latencies_s, 0.99) * 1000
    assert opened.errors == closed.errors == 0
    assert len(opened.latencies_s) == len(opened.lags_s) == len(arrivals)
    assert max(closed.latencies_s) * 1000 > STALL_MS * 0.9
    assert open_p99 > STALL_MS / 2
    assert open_p99 > 5 * np.quantile(closed.latencies_s, 0.98) * 1000


def test_answers_that_are_no_success_are_errors(stalling_server: Any) -> None:
    """A server that refuses quickly does not look fast."""
    with stalling_server(stall_at=None, status="503 Service Unavailable").running() as server:
        opened = run_open(job(server.port), [0.01 * turn for turn in range(1, 20)])
        closed = run_closed(job(server.port), 0.05)
    assert opened.errors == 19
    assert closed.errors == len(closed.latencies_s) > 0


def test_what_is_never_answered_is_an_error_with_the_time_it_waited() -> None:
    """A server that accepts and says nothing ends the load after the time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        found = run_open(job(port, warmup=0, connections=2, timeout_s=0.3), [0.01, 0.02, 0.03])
    assert found.errors == 3
    assert min(found.latencies_s) > 0.25


def test_a_connection_that_the_server_closes_is_an_error_and_is_replaced() -> None:
    """The load goes on after a dropped connection."""
    import threading

    def drop(listener: socket.socket) -> None:
        for _ in range(4):  # the first connection and one in place of each that broke
            accepted, _ = listener.accept()
            accepted.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drop, args=(listener,), daemon=True)
        thread.start()
        found = run_open(
            job(listener.getsockname()[1], warmup=0, connections=1), [0.05 * turn for turn in range(1, 4)]
        )
        thread.join(5)
    assert found.errors == 3


def test_the_client_process_reports_what_it_measured(stalling_server: Any) -> None:
    """Schedule in, latency record out; closed and open."""
    with stalling_server(stall_at=None).running() as server:
        target = Target(
            host="127.0.0.1", port=server.port, bodies=predict_bodies(["hello"]), subject="echo", warmup=3
        )
        arrivals = poisson_arrivals(100, 0.5, np.random.default_rng(1))
        opened = open_http(target, arrivals)
        closed = closed_http(target, seconds=0.2)
    assert opened.latency.requests == len(arrivals)
    assert opened.latency.load == "open"
    assert opened.latency.errors == 0
    assert set(opened.statuses) == set(closed.statuses) == {200}
    assert len(opened.statuses) == len(opened.times_s) == len(arrivals)
    assert opened.client_lag_p99_ms >= 0
    assert closed.latency.load == "closed"
    assert closed.latency.requests > 0
    assert closed.client_lag_p99_ms == 0


def test_nobody_listening_is_said_with_the_address() -> None:
    """The error names host and port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    target = Target(host="127.0.0.1", port=port, bodies=["{}"], subject="none")
    with pytest.raises(ServeError, match=str(port)) as caught:
        closed_http(target, seconds=0.1)
    assert "Traceback" not in str(caught.value)


def test_a_server_that_never_answers_is_said_in_a_sentence() -> None:
    """It listens and says nothing: no traceback, but what to look for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Target(
            host="127.0.0.1", port=silent.getsockname()[1], bodies=["{}"], subject="silent", connections=1
        )
        with pytest.raises(ServeError, match=r"no answer within 0\.2 s") as caught:
            open_http(target, np.array([0.01]), timeout_s=0.2)
    assert "Traceback" not in str(caught.value)


def test_the_client_loads_nothing_heavy() -> None:
    """It must not be the bottleneck, and starts fast: neither numpy nor asyncio."""
    import subprocess
    import sys

    code = "import sys, coffey.bench.http_client; print(sorted({'numpy', 'asyncio'} & set(sys.modules)))"
    src = Path(__file__).resolve().parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(src)}
    )
    assert done.stdout.strip() == "[]"
