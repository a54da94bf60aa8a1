from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from coffey.traffic.compact import compact
from coffey.traffic.ledger import read_ledger
from coffey.traffic.query import read_traffic

pytestmark = pytest.mark.slow

PREDICT = {"input": "i want my money back"}
TWO = {"workers": 2}


def until(found: Callable[[], object], what: str) -> None:
    for _ in range(2000):
        if found():
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{what} was awaited in vain")


def values(metrics: bytes, name: str) -> dict[str, float]:
    """Of a metric without further labels, by worker."""
    families = text_string_to_metric_families(metrics.decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {sample.labels.get("worker", ""): sample.value for sample in samples}


def children(running) -> list[int]:
    task = f"/proc/{running.process.pid}/task/{running.process.pid}/children"
    with open(task) as file:
        return [int(pid) for pid in file.read().split()]


def test_two_workers_answer_and_their_metrics_are_one(serve, ask, load, artifact) -> None:
    """Both take requests from one port; one scrape shows both, and their sum is what was answered."""
    running = serve(settings=TWO)
    with load(running.port, clients=12) as clients:
        clients.wait_for(400)
    assert clients.failures == []
    assert set(clients.statuses) == {200}

    def answered() -> dict[str, float]:
        return values(ask(running.port, "GET", "/metrics").body, "coffey_answered_total")

    until(lambda: sum(answered().values()) == len(clients.ids), "the sum of both workers")
    assert set(answered()) == {"0", "1"}
    assert min(answered().values()) > 0
    metrics = ask(running.port, "GET", "/metrics").body
    assert read_ledger(metrics.decode()).requests == len(clients.ids)
    assert values(metrics, "coffey_worker_restarts_total") == {"": 0.0}
    assert metrics.count(b"# TYPE coffey_answered_total") == 1


def test_sigterm_reaches_every_worker_and_no_request_is_lost(serve, load) -> None:
    """All answers are 200, the exit code is 0, and the segments of both hold exactly what was answered."""
    running = serve(settings=TWO, slow_seconds=0.002)
    with load(running.port, clients=8) as clients:
        clients.wait_for(200)
        code = running.stop()
        for thread in clients.threads:
            thread.join(20)
    assert code == 0
    assert clients.failures == []
    assert set(clients.statuses) == {200}
    stopped = [event for event in running.events() if event["event"] == "stopped"]
    assert sorted(event["worker"] for event in stopped) == [0, 1]
    assert sum(event["traffic"]["served"] for event in stopped) == len(clients.ids)
    assert compact(running.root).records == len(clients.ids)
    assert Counter(record.id for record in read_traffic(running.root)) == Counter(clients.ids)


def test_a_worker_that_dies_is_started_anew(serve, ask) -> None:
    """After kill -9 the port still answers, and soon two workers do; metrics and events say so."""
    running = serve(settings=TWO)
    victim = children(running)[0]
    os.kill(victim, signal.SIGKILL)
    for _ in range(20):
        assert ask(running.port, "POST", "/v1/predict", PREDICT).status == 200
    until(lambda: len(children(running)) == 2 and victim not in children(running), "the new worker")
    until(lambda: [e["event"] for e in running.events()].count("ready") == 3, "its readiness")
    metrics = ask(running.port, "GET", "/metrics").body
    assert values(metrics, "coffey_worker_restarts_total") == {"": 1.0}
    (died,) = [event for event in running.events() if event["event"] == "worker_died"]
    assert died["code"] == -9
    assert running.stop() == 0


def test_workers_do_not_outlive_their_supervisor(serve, ask) -> None:
    """After kill -9 of the supervisor nobody answers unsupervised."""
    running = serve(settings=TWO)
    workers = children(running)
    running.stop(signal.SIGKILL)

    def gone(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with open(f"/proc/{pid}/stat") as file:  # what nobody waits for stays as a zombie
            return file.read().rpartition(")")[2].split()[0] == "Z"

    until(lambda: all(gone(pid) for pid in workers), "the end of the workers")


def test_a_reload_reaches_every_worker(serve, ask, load, make_artifact, artifact) -> None:
    """Whichever worker is asked, all of them serve the new model soon after."""
    other = make_artifact(2)
    running = serve(settings={**TWO, "follow_seconds": 3600.0})
    running.alias.write_text(str(other))
    assert ask(running.port, "POST", "/admin/reload").json() == {"model": other.name}
    until(lambda: [e["event"] for e in running.events()].count("model_swapped") == 2, "both swaps")
    with load(running.port, clients=8) as clients:
        clients.wait_for(100)
    assert set(clients.models) == {other.name}


def test_a_server_whose_workers_cannot_start_says_so(keys, make_artifact, tmp_path) -> None:
    """Before the first was ready no worker is tried again: an event has the reason, the code is not 0."""
    (tmp_path / "champion").write_text(str(make_artifact(3, lies=True)))
    told = {
        "alias": str(tmp_path / "champion"),
        "root": str(tmp_path),
        "keys": str(keys),
        "settings": TWO,
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("serve_main.py")), json.dumps(told)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    failed = [event for event in events if event["event"] == "worker_failed"]
    assert failed
    assert "examples" in failed[0]["error"]
    assert "before it was ready" in done.stderr.splitlines()[-1]


def test_each_worker_keeps_to_its_core(serve) -> None:
    """Two workers on two cores share none."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core")
    running = serve(settings=TWO)
    pinned = [os.sched_getaffinity(pid) for pid in children(running)]
    assert sorted(pinned, key=min) == [{cores[0]}, {cores[1]}]


def test_signals_never_end_the_supervisor_itself(serve, ask) -> None:
    """Libraries run threads in it, which a signal may reach; a worker that starts gets SIGHUP as well."""
    running = serve(settings=TWO)
    os.kill(children(running)[0], signal.SIGKILL)
    for _ in range(200):
        os.kill(running.process.pid, signal.SIGHUP)
        threading.Event().wait(0.005)
    until(lambda: [e["event"] for e in running.events()].count("ready") == 3, "the new worker")
    assert ask(running.port, "POST", "/v1/predict", PREDICT).status == 200
    assert [e["code"] for e in running.events() if e["event"] == "worker_died"] == [-9]
    assert running.stop() == 0
