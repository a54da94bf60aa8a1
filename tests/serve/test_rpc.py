"""gRPC gives the answers, the refusals and the records that HTTP gives."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coffey.traffic.query import read_traffic

grpc = pytest.importorskip("grpc")

from coffey.serve.rpc_messages import MESSAGES, SERVICE  # noqa: E402 - they need what may be absent

TEXT = "i want my money back"


class Client:
    """A channel to a server, and its answers as messages."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel

    def call(self, method: str, /, metadata: dict[str, str] | None = None, **fields: object) -> Any:
        return self.send(method, MESSAGES[f"{method}Request"](**fields).SerializeToString(), metadata)

    def send(self, method: str, body: bytes, metadata: dict[str, str] | None = None) -> Any:
        ask = self.channel.unary_unary(
            f"/{SERVICE}/{method}", response_deserializer=MESSAGES[f"{method}Response"].FromString
        )
        return ask(body, timeout=20, metadata=tuple((metadata or {}).items()))

    def infer(self, *texts: str | bytes, metadata: dict[str, str] | None = None, **fields: object) -> Any:
        raw = [text.encode() if isinstance(text, str) else text for text in texts]
        return self.call("ModelInfer", metadata, **asked(raw, **fields))


def asked(texts: list[bytes], **fields: object) -> dict[str, object]:
    contents = MESSAGES["InferTensorContents"](bytes_contents=texts)
    tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "contents": contents}
    return {"model_name": "intents", "inputs": [tensor], **fields}


def grpc_port(running) -> int:
    return next(int(event["grpc_port"]) for event in running.events() if event["event"] == "ready")


@pytest.fixture(scope="module")
def running(serve_for_module):
    return serve_for_module(settings={"grpc_port": 0, "max_inputs": 4, "max_body_bytes": 2000})


@pytest.fixture(scope="module")
def client(running) -> Iterator[Client]:
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port(running)}") as channel:
        yield Client(channel)


def refused(ask, *args: object, **kwargs: object) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        ask(*args, **kwargs)
    return caught.value


def test_server_and_model_are_described(client, artifact) -> None:
    """Live, ready, name, version and tensors, as over HTTP."""
    assert client.call("ServerLive").live
    assert client.call("ServerReady").ready
    assert client.call("ServerMetadata").name == "coffey"
    assert client.call("ModelReady", name="intents").ready
    assert client.call("ModelReady", name="intents", version=artifact.name).ready
    assert not client.call("ModelReady", name="others").ready
    assert not client.call("ModelReady", name="intents", version="0").ready
    found = client.call("ModelMetadata", name="intents")
    assert list(found.versions) == [artifact.name]
    assert [(one.name, one.datatype) for one in found.outputs] == [("label", "BYTES"), ("score", "FP32")]
    assert refused(client.call, "ModelMetadata", name="others").code() == grpc.StatusCode.NOT_FOUND


def test_the_answer_is_the_one_over_http(running, client, ask, artifact) -> None:
    """Labels and scores of several texts, in their order, by the model that HTTP names."""
    texts = [TEXT, "hello good morning", "where is the parcel"]
    found = client.infer(*texts, id="mine", model_version=artifact.name)
    said = ask(running.port, "POST", "/v1/predict", {"inputs": texts}).json()["predictions"]
    labels, scores = found.outputs
    assert [label.decode() for label in labels.contents.bytes_contents] == [one["label"] for one in said]
    assert list(scores.contents.fp32_contents) == pytest.approx([one["score"] for one in said], abs=1e-6)
    assert (found.model_name, found.model_version, found.id) == ("intents", artifact.name, "mine")


def test_raw_contents_are_answered_with_raw_contents(client) -> None:
    """Each text and each label after its length in four bytes; only the outputs that were asked for."""
    whole = client.infer(TEXT)
    raw = struct.pack("<I", len(TEXT)) + TEXT.encode()
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1, 1]}
    fields = {"model_name": "intents", "inputs": [tensor], "raw_input_contents": [raw]}
    found = client.call("ModelInfer", **fields, outputs=[{"name": "score"}, {"name": "label"}])
    score, label = found.raw_output_contents
    assert struct.unpack("<f", score) == pytest.approx(whole.outputs[1].contents.fp32_contents, abs=1e-6)
    assert label[4:] == whole.outputs[0].contents.bytes_contents[0]
    assert [one.name for one in found.outputs] == ["score", "label"]
    assert not any(one.HasField("contents") for one in found.outputs)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        (asked([b"a"], model_name="others"), "NOT_FOUND", "'intents' is"),
        (asked([b"a"], model_version="0"), "NOT_FOUND", "Version '0'"),
        (asked([b"a"] * 5), "INVALID_ARGUMENT", "serve.max_inputs"),
        (asked([b"\xff"]), "INVALID_ARGUMENT", "UTF-8"),
        (asked([b"a"], raw_input_contents=[b"\x00\x00\x00\x00"]), "INVALID_ARGUMENT", "raw_input_contents"),
        (asked([b"a"], outputs=[{"name": "nothing"}]), "INVALID_ARGUMENT", "outputs"),
        ({"model_name": "intents"}, "INVALID_ARGUMENT", "inputs"),
        (asked([b"a" * 3000]), "RESOURCE_EXHAUSTED", "2000"),
    ],
)
def test_what_cannot_be_answered_is_refused(client, fields, code, words) -> None:
    """The reason names what was wrong, and the server goes on."""
    error = refused(client.call, "ModelInfer", **fields)
    assert error.code() == grpc.StatusCode[code]
    assert words in error.details()
    assert client.infer(TEXT).outputs


@pytest.mark.parametrize("method", ["ModelInfer", "ModelReady", "ModelMetadata"])
def test_bytes_that_are_no_message_are_refused(client, method) -> None:
    """They are the client's fault, not the server's."""
    assert refused(client.send, method, b"\xff\xff").code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_deadline_that_is_over_is_refused_before_the_model_runs(client) -> None:
    """`x-request-timeout-ms` means what it means over HTTP; it is read by the same code."""
    error = refused(client.infer, TEXT, metadata={"x-request-timeout-ms": "never"})
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "x-request-timeout-ms" in error.details()


def test_keys_hold_and_every_answer_is_logged_audited_and_counted(serve, ask) -> None:
    """Without a key nothing is answered; with it, the records are those of HTTP, ids of requests included."""
    key = "correct horse"
    running = serve(
        settings={"grpc_port": 0, "access_log": True}, api_keys=[hashlib.sha256(key.encode()).hexdigest()]
    )
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port(running)}") as channel:
        client = Client(channel)
        assert refused(client.infer, TEXT).code() == grpc.StatusCode.UNAUTHENTICATED
        assert client.call("ServerReady").ready
        allowed = {"authorization": f"Bearer {key}", "x-request-id": "r1"}
        ids = [client.infer(TEXT, metadata=allowed).id for _ in range(20)]
    metrics = ask(running.port, "GET", "/metrics").body.decode()
    assert 'coffey_requests_total{route="grpc_infer",status="200"} 20.0' in metrics
    assert 'coffey_requests_total{route="grpc_infer",status="401"} 1.0' in metrics
    assert 'coffey_step_seconds_count{step="run"} 20.0' in metrics
    assert running.stop() == 0
    records = list(read_traffic(running.root))
    assert sorted(record.id for record in records) == sorted(ids)
    assert {record.text for record in records} == {TEXT}
    lines = [event for event in running.events() if event["event"] == "request"]
    answered = [line for line in lines if line["route"] == "grpc_infer" and line["status"] == 200]
    assert {line["request_id"] for line in answered} == {"r1"}


@pytest.mark.slow
def test_two_workers_share_the_port_and_leave_without_losing_a_call(serve) -> None:
    """Calls that were accepted are answered while the server leaves; nothing is done for those after them."""
    running = serve(settings={"grpc_port": 0, "workers": 2})
    address, answered, failures = f"127.0.0.1:{grpc_port(running)}", [], []

    def work() -> None:
        with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            client = Client(channel)
            try:
                while True:
                    answered.append(client.infer(TEXT).id)
            except grpc.RpcError as exc:
                failures.append(exc.code())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    while len(answered) < 200 and any(thread.is_alive() for thread in threads):
        threading.Event().wait(0.01)
    assert running.stop() == 0
    for thread in threads:
        thread.join(30)
    assert set(failures) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    stopped = [event for event in running.events() if event["event"] == "stopped"]
    assert sum(event["traffic"]["served"] for event in stopped) == len(answered)
    assert {event["grpc_port"] for event in running.events() if event["event"] == "ready"} == {
        int(address.split(":")[1])
    }


@pytest.mark.slow
def test_a_port_that_is_taken_is_said(running, keys, artifact, tmp_path: Path) -> None:
    """The server refuses to start, and names the key."""
    (tmp_path / "champion").write_text(str(artifact))
    told = {
        "alias": str(tmp_path / "champion"),
        "root": str(tmp_path),
        "keys": str(keys),
        "settings": {"grpc_port": grpc_port(running)},
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("serve_main.py")), json.dumps(told)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "serve.grpc_port" in done.stderr
