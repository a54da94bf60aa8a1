from __future__ import annotations

import hashlib
import json
import signal
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coffey.core.errors import ConfigError
from coffey.core.settings import ServeSettings
from coffey.serve.server import ServeOptions, run_server
from coffey.serve.swap import fixed
from coffey.traffic.compact import compact
from coffey.traffic.layout import parquet_folder, segments_folder
from coffey.traffic.query import read_traffic

pytestmark = pytest.mark.slow

PREDICT = {"input": "i want my money back"}


def stopped(running) -> dict[str, int]:
    (event,) = [event for event in running.events() if event["event"] == "stopped"]
    return event["traffic"]


def test_sigterm_under_load_loses_no_request_and_no_record(serve, load) -> None:
    """Every request is answered with 200, the exit code is 0, compaction yields exactly those answered."""
    running = serve(slow_seconds=0.002)
    with load(running.port) as clients:
        clients.wait_for(100)
        code = running.stop()
        for thread in clients.threads:
            thread.join(20)
    assert clients.failures == []
    assert set(clients.statuses) == {200}
    assert code == 0
    counted = stopped(running)
    assert counted["served"] == counted["logged"] + counted["dropped"] == len(clients.ids)
    assert counted["dropped"] == 0
    compact(running.root)
    assert not list(segments_folder(running.root).iterdir())
    records = read_traffic(running.root)
    assert Counter(record.id for record in records) == Counter(clients.ids)
    assert {record.audit_probability for record in records} == {0.25}


def test_a_server_that_leaves_says_so_and_still_answers_for_a_while(serve, ask) -> None:
    """After SIGTERM: not ready, but who still comes is answered, and told to close the connection."""
    running = serve(options={"drain_seconds": 3.0})
    running.process.send_signal(signal.SIGTERM)
    for _ in range(200):
        if ask(running.port, "GET", "/v2/health/ready").status == 503:
            break
        threading.Event().wait(0.01)
    ready = ask(running.port, "GET", "/v2/health/ready")
    assert (ready.status, ready.json()) == (503, {"ready": False})
    assert ask(running.port, "GET", "/v2/health/live").status == 200
    answer = ask(running.port, "POST", "/v1/predict", PREDICT)
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert running.process.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_server_leaves_with_code_0_having_loaded_nothing_heavy(serve, ask, number) -> None:
    """Both signals end it cleanly; a server that answered has none of the training libraries in memory."""
    running = serve()
    assert ask(running.port, "POST", "/v1/predict", PREDICT).status == 200
    assert ask(running.port, "GET", "/metrics").status == 200
    assert running.stop(number) == 0
    assert json.loads(running.process.stdout.read()) == {"loaded": []}
    assert stopped(running) == {"served": 1, "logged": 1, "dropped": 0}


def test_swaps_under_load_fail_no_request(serve, load, make_artifact, artifact) -> None:
    """The champion changes six times under load: only 200s, and each record names the model that answered."""
    other = make_artifact(2)
    running = serve()
    with load(running.port) as clients:
        for path in (other, artifact) * 3:
            clients.wait_for(50)
            running.alias.with_suffix(".new").write_text(str(path))
            running.alias.with_suffix(".new").replace(running.alias)
            for _ in range(2000):
                if clients.models and clients.models[-1] == path.name:
                    break
                threading.Event().wait(0.005)
            assert clients.models[-1] == path.name
    assert clients.failures == []
    assert set(clients.statuses) == {200}
    assert running.stop() == 0
    named = {record.id: record.model for record in read_traffic(running.root)}
    assert set(named) == set(clients.ids)
    assert Counter(named.values()) == Counter(clients.models)
    assert {artifact.name, other.name} == set(named.values())


def test_a_broken_champion_is_refused_and_seen_in_the_metrics(serve, ask, make_artifact, artifact) -> None:
    """The old model goes on answering, and `coffey_swap_failures_total` grows."""
    running = serve()
    running.alias.write_text(str(make_artifact(3, lies=True)))
    text = b""
    for _ in range(400):
        text = ask(running.port, "GET", "/metrics").body
        if b"coffey_swap_failures_total 0.0" not in text:
            break
        threading.Event().wait(0.01)
    assert b"coffey_swap_failures_total 0.0" not in text
    assert ask(running.port, "POST", "/v1/predict", PREDICT).json()["model"] == artifact.name
    assert [e for e in running.events() if e["event"] == "model_refused"]


def test_a_full_queue_is_answered_with_429_and_the_rest_with_200(serve, ask) -> None:
    """Overload is refused at once, with Retry-After; what was taken is answered."""
    running = serve(slow_seconds=0.2, settings={"max_batch": 1, "max_queue": 2})
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(ask, running.port, "POST", "/v1/predict", PREDICT) for _ in range(12)]
        answers = [future.result() for future in asked]
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {200, 429}
    assert statuses[200] >= 3
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert "serve" in refused.json()["error"] or "queued" in refused.json()["error"]
    assert ask(running.port, "POST", "/v1/predict", PREDICT).status == 200


def test_without_a_model_the_server_waits_unready(serve, ask, artifact) -> None:
    """503 with Retry-After until there is a champion, then 200, without a restart."""
    running = serve(options={"wait_for_model": True}, absent=True)
    assert ask(running.port, "GET", "/healthz").status == 503
    assert ask(running.port, "GET", "/v2/models/intents").status == 503
    answer = ask(running.port, "POST", "/v1/predict", PREDICT)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    running.alias.write_text(str(artifact))
    for _ in range(1000):
        if ask(running.port, "GET", "/healthz").status == 200:
            break
        threading.Event().wait(0.01)
    assert ask(running.port, "POST", "/v1/predict", PREDICT).status == 200


def test_a_model_that_fails_costs_one_request(serve, ask) -> None:
    """500 for the text that broke the model, 200 for the next."""
    running = serve(slow_seconds=0.001)
    assert ask(running.port, "POST", "/v1/predict", {"input": "poison"}).status == 500
    assert ask(running.port, "POST", "/v1/predict", PREDICT).status == 200
    (event,) = [e for e in running.events() if e["event"] == "request_failed"]
    assert "poisoned" in event["error"]


def test_a_log_folder_that_cannot_be_written_changes_no_answer(serve, load) -> None:
    """With the disk refusing everything, requests are answered and every record is counted as dropped."""

    def block(root: Path) -> None:
        root.mkdir()
        (root / "traffic").write_text("in the way")

    running = serve(prepare=block)
    with load(running.port) as clients:
        clients.wait_for(200)
    assert clients.failures == []
    assert set(clients.statuses) == {200}
    assert running.stop() == 0
    counted = stopped(running)
    assert counted == {"served": len(clients.ids), "logged": 0, "dropped": len(clients.ids)}


def test_a_stalled_disk_changes_no_answer(serve, load, ask) -> None:
    """A write that never returns: requests go on, drops are counted, the server can leave."""
    running = serve(stalled=True, settings={"log_buffer": 50})
    with load(running.port) as clients:
        clients.wait_for(600)
        metrics = ask(running.port, "GET", "/metrics").body.decode()
    assert clients.failures == []
    assert set(clients.statuses) == {200}
    assert "coffey_traffic_logged_total 0.0" in metrics
    assert "coffey_traffic_dropped_total 0.0" not in metrics
    assert running.stop() == 0
    counted = stopped(running)
    assert counted == {"served": len(clients.ids), "logged": 0, "dropped": len(clients.ids)}


def test_compacting_beside_a_running_server_takes_each_record_once(serve, load) -> None:
    """Segments rotate while `tick` compacts; in the end each answered request is in Parquet exactly once."""
    running = serve(options={"rotate_seconds": 0.05})
    reports = []
    with load(running.port, clients=3) as clients:
        for _ in range(8):
            clients.wait_for(40)
            threading.Event().wait(0.1)  # two rotations
            reports.append(compact(running.root))
    assert running.stop() == 0
    reports.append(compact(running.root))
    assert sum(report.records for report in reports) == len(clients.ids)
    assert sum(report.segments > 0 for report in reports) >= 3
    assert Counter(record.id for record in read_traffic(running.root)) == Counter(clients.ids)


def test_a_killed_server_leaves_its_records(serve, load) -> None:
    """After kill -9 what was written is compacted from the orphaned segment."""
    running = serve()
    with load(running.port, clients=2) as clients:
        clients.wait_for(50)
    for _ in range(500):
        if len(read_traffic(running.root)) == len(clients.ids):
            break
        threading.Event().wait(0.01)
    assert running.stop(signal.SIGKILL) == -9
    assert [path.suffix for path in segments_folder(running.root).iterdir()] == [".open"]
    assert compact(running.root).records == len(clients.ids)
    assert list(parquet_folder(running.root).rglob("*.parquet"))
    assert Counter(record.id for record in read_traffic(running.root)) == Counter(clients.ids)


def test_keys_are_asked_for_where_they_are_set(serve, ask) -> None:
    """401 without a key or with another one; health and metrics need none; OpenAPI says so."""
    running = serve(api_keys=[hashlib.sha256(b"secret").hexdigest()])
    for headers in ({}, {"x_api_key": "guess"}, {"authorization": "Basic secret"}):
        refused = ask(running.port, "POST", "/v1/predict", PREDICT, **headers)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    for headers in ({"x_api_key": "secret"}, {"authorization": "Bearer secret"}):
        assert ask(running.port, "POST", "/v1/predict", PREDICT, **headers).status == 200
    assert ask(running.port, "POST", "/admin/reload").status == 401
    assert ask(running.port, "GET", "/healthz").status == 200
    document = ask(running.port, "GET", "/openapi.json").json()
    assert document["paths"]["/v1/predict"]["post"]["security"]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "header"}


def test_a_request_whose_time_is_over_is_not_run(serve, ask) -> None:
    """504 for one that waited too long, 429 for one that would; the others are answered."""
    running = serve(slow_seconds=0.2, settings={"max_batch": 1})
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask, running.port, "POST", "/v1/predict", PREDICT)
        threading.Event().wait(0.05)  # the first is at work, and nothing is known of how long that takes
        late = pool.submit(ask, running.port, "POST", "/v1/predict", PREDICT, x_request_timeout_ms="20")
        assert late.result().status == 504
        assert first.result().status == 200
        first = pool.submit(ask, running.port, "POST", "/v1/predict", PREDICT)
        threading.Event().wait(0.05)
        refused = ask(running.port, "POST", "/v1/predict", PREDICT, x_request_timeout_ms="20")
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert first.result().status == 200
    metrics = ask(running.port, "GET", "/metrics").body.decode()
    assert 'coffey_requests_total{route="predict",status="504"} 1.0' in metrics
    assert "coffey_answered_total 2.0" in metrics


def test_the_access_log_has_a_line_for_each_request(serve, ask) -> None:
    """With the ids that came with it, and the id in the traffic log; refusals too."""
    running = serve(settings={"access_log": True})
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = ask(running.port, "POST", "/v1/predict", PREDICT, x_request_id="mine", traceparent=trace)
    assert ask(running.port, "POST", "/v1/predict", {}).status == 422
    assert ask(running.port, "GET", "/nothing").status == 404
    assert running.stop() == 0
    lines = [event for event in running.events() if event["event"] == "request"]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("predict", 200),
        ("predict", 422),
        ("unknown", 404),
    ]
    assert lines[0]["id"] == answer.json()["id"]
    assert (lines[0]["request_id"], lines[0]["traceparent"]) == ("mine", trace)
    assert lines[0]["ms"] > 0


def test_a_promotion_can_be_followed_at_once(serve, ask, make_artifact, artifact) -> None:
    """`POST /admin/reload` answers when the new model is in service; 409 when it is not to be served."""
    other = make_artifact(2)
    running = serve(settings={"follow_seconds": 3600.0})
    assert ask(running.port, "POST", "/admin/reload").json() == {"model": artifact.name}
    running.alias.write_text(str(other))
    assert ask(running.port, "POST", "/admin/reload").json() == {"model": other.name}
    assert ask(running.port, "POST", "/v1/predict", PREDICT).json()["model"] == other.name
    running.alias.write_text(str(make_artifact(3, lies=True)))
    refused = ask(running.port, "POST", "/admin/reload")
    assert refused.status == 409
    assert "examples" in refused.json()["error"]
    assert ask(running.port, "POST", "/v1/predict", PREDICT).json()["model"] == other.name


def test_a_port_in_use_is_a_configuration_error(artifact: Path) -> None:
    """It names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ServeOptions(
            resolve=fixed(artifact.name, artifact),
            load=lambda path: pytest.fail("loaded"),
            settings=ServeSettings(port=port),
        )
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            run_server(options)
