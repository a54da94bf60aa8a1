from __future__ import annotations

import json
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from coffey.serve.routes import routes
from coffey.traffic.ledger import Ledger, read_ledger

INFER = "/v2/models/intents/infer"


def tensor(data: list[object], shape: list[int], **more: object) -> dict[str, object]:
    return {"inputs": [{"name": "text", "shape": shape, "datatype": "BYTES", "data": data}], **more}


def raw(port: int, request: bytes) -> tuple[int, bytes, dict[str, object]]:
    """Send bytes, read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(request)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.lower(), json.loads(body)


def test_one_text_gets_its_most_probable_label(server, ask, artifact) -> None:
    """`input` is answered with one prediction and the artifact's digest."""
    answer = ask(server.port, "POST", "/v1/predict", {"input": "where is the parcel"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["model"] == artifact.name
    assert len(body["predictions"]) == 1
    assert 1 / 3 < body["predictions"][0]["score"] <= 1


def test_many_texts_are_answered_in_their_order(server, ask) -> None:
    """A list gets the predictions that its texts get alone, in order."""
    texts = ["hello", "i want my money back", "where is the parcel now"]
    alone = [ask(server.port, "POST", "/v1/predict", {"input": t}).json()["predictions"][0] for t in texts]
    together = ask(server.port, "POST", "/v1/predict", {"inputs": texts}).json()["predictions"]
    assert [p["label"] for p in together] == [p["label"] for p in alone]
    assert [p["score"] for p in together] == pytest.approx([p["score"] for p in alone], abs=1e-5)


def test_scores_of_all_or_of_the_k_best_labels_come_when_asked(server, ask) -> None:
    """`scores` adds all labels, `top_k` the k most probable, sorted; they sum to 1."""
    everything = ask(server.port, "POST", "/v1/predict", {"input": "hello", "scores": True}).json()
    (prediction,) = everything["predictions"]
    scores = [entry["score"] for entry in prediction["scores"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0, abs=1e-5)
    assert prediction["scores"][0] == {"label": prediction["label"], "score": prediction["score"]}
    two = ask(server.port, "POST", "/v1/predict", {"input": "hello", "top_k": 2}).json()
    assert two["predictions"][0]["scores"] == prediction["scores"][:2]


def test_health_tells_live_and_ready(server, ask) -> None:
    """The Open Inference Protocol's health routes, and /healthz for the same."""
    assert ask(server.port, "GET", "/v2/health/live").json() == {"live": True}
    assert ask(server.port, "GET", "/v2/health/ready").json() == {"ready": True}
    assert ask(server.port, "GET", "/healthz").json() == {"ready": True}
    assert ask(server.port, "GET", "/v2/models/intents/ready").json() == {"name": "intents", "ready": True}
    head = ask(server.port, "HEAD", "/healthz")
    assert (head.status, head.body) == (200, b"")


def test_server_and_model_describe_themselves(server, ask, artifact) -> None:
    """Metadata names the server, the model, its version (the digest), input and outputs."""
    assert ask(server.port, "GET", "/v2").json()["name"] == "coffey"
    model = ask(server.port, "GET", "/v2/models/intents").json()
    assert model["versions"] == [artifact.name]
    assert model["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [output["name"] for output in model["outputs"]] == ["label", "score"]


@pytest.mark.parametrize("nested", [False, True])
def test_infer_answers_what_predict_answers(server, ask, nested) -> None:
    """The Open Inference Protocol gives the same labels and scores, for shapes [n] and [n, 1]."""
    texts = ["hello", "where is the parcel"]
    predicted = ask(server.port, "POST", "/v1/predict", {"inputs": texts}).json()["predictions"]
    request = tensor([[t] for t in texts], [2, 1], id="mine") if nested else tensor(texts, [2], id="mine")
    answer = ask(server.port, "POST", INFER, request)
    assert answer.status == 200, answer.body
    body = answer.json()
    assert body["id"] == "mine"
    label, score = body["outputs"]
    assert (label["name"], label["datatype"], label["shape"]) == (
        "label",
        "BYTES",
        request["inputs"][0]["shape"],
    )
    assert label["data"] == [p["label"] for p in predicted]
    assert score["datatype"] == "FP32"
    assert score["data"] == pytest.approx([p["score"] for p in predicted], abs=1e-5)


def test_infer_returns_only_the_outputs_asked_for(server, ask) -> None:
    """`outputs` selects."""
    body = ask(server.port, "POST", INFER, tensor(["hello"], [1], outputs=[{"name": "score"}])).json()
    assert [output["name"] for output in body["outputs"]] == ["score"]


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/v1/predict", b"", "cannot be read"),
        ("/v1/predict", b"{nonsense", "cannot be read"),
        ("/v1/predict", b'{"input": "\xff"}', "cannot be read"),
        ("/v1/predict", b'{"input": "\\ud800"}', "cannot be read"),
        ("/v1/predict", {"input": 3}, "$.input"),
        ("/v1/predict", {"inputs": ["a", 3]}, "$.inputs[1]"),
        ("/v1/predict", {"text": "a"}, "unknown field `text`"),
        ("/v1/predict", {"input": "a", "top_k": 0}, "$.top_k"),
        ("/v1/predict", {}, "either 'input'"),
        ("/v1/predict", {"input": "a", "inputs": ["a"]}, "either 'input'"),
        ("/v1/predict", {"inputs": []}, "'inputs' has 0 texts"),
        ("/v1/predict", {"inputs": ["a"] * 5}, "'inputs' has 5 texts; 1 to 4"),
        ("/v1/predict", {"inputs": ["a", "b" * 101]}, "'inputs'[1] has 101 characters"),
        ("/v1/predict", ["a"], "cannot be read"),
        (INFER, {"inputs": []}, "$.inputs"),
        (INFER, tensor(["a"], [2]), "'inputs[0].shape' is [2]"),
        (INFER, tensor([3], [1]), "$.inputs[0].data[0]"),
        (INFER, tensor([], [0]), "has 0 texts"),
        (INFER, tensor(["a"], [1], outputs=[{"name": "logits"}]), "$.outputs[0].name"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_the_reason(server, ask, path, body, says) -> None:
    """422, and the message says which part is wrong."""
    answer = ask(server.port, "POST", path, body)
    assert answer.status == 422, answer.body
    assert says in answer.json()["error"]


def test_a_declared_body_over_the_limit_is_refused_without_reading(server) -> None:
    """Ten gigabytes announced and not one byte sent: 413 comes at once, and the connection closes."""
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n"
    status, headers, body = raw(server.port, head)
    assert status == 413
    assert b"connection: close" in headers
    assert "limit is 2000 bytes" in str(body["error"])


def test_a_client_that_waits_for_leave_to_send_too_much_gets_none(server) -> None:
    """With `Expect: 100-continue` the refusal comes instead of the leave."""
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n"
    status, _, _ = raw(server.port, head)
    assert status == 413


def test_a_chunked_body_is_cut_at_the_limit(server) -> None:
    """A body without a length is read up to the limit and no further."""
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"3e8\r\n" + b"a" * 1000 + b"\r\n"
    status, headers, body = raw(server.port, head + 3 * chunk)
    assert status == 413
    assert b"connection: close" in headers
    assert "2000 bytes" in str(body["error"])


def test_a_chunked_body_within_the_limit_is_answered(server) -> None:
    """Chunks are put together, also when they come one by one."""
    body = json.dumps({"input": "hello"}).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for byte in body:
            client.sendall(b"1\r\n" + bytes([byte]) + b"\r\n")
        client.sendall(b"0\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_requests_sent_in_one_go_are_answered_in_their_order(server) -> None:
    """Pipelining: a HEAD, a POST and a GET in one packet get three whole answers."""
    body = b'{"input": "hello"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(
            b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            + b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            + b"GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    first, second, third = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert first.endswith(b"\r\n\r\n")
    assert b'"predictions"' in second
    assert b'"coffey"' in third


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\xff\xfe\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v2/models/%2e%2e/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_noise_does_not_stop_the_server(server, ask, noise) -> None:
    """Whatever arrives is refused or cut off, and the next request is answered."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(noise)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(65536)
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert ask(server.port, "POST", "/v1/predict", {"input": "hello"}).status == 200
    assert not [e for e in server.events() if e["event"] not in ("model_loaded", "ready")]


def test_a_compressed_body_is_refused(server, ask) -> None:
    """415 instead of a guess at what the bytes mean."""
    answer = ask(server.port, "POST", "/v1/predict", b"\x1f\x8b", content_encoding="gzip")
    assert answer.status == 415
    assert "gzip" in answer.json()["error"]


def test_unknown_paths_and_methods_are_told_so(server, ask) -> None:
    """404 for a path that is not served (also another model's), 405 with what is allowed for a method."""
    assert ask(server.port, "GET", "/nothing").status == 404
    assert ask(server.port, "POST", "/v2/models/other/infer", tensor(["a"], [1])).status == 404
    wrong = ask(server.port, "GET", "/v1/predict")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    assert ask(server.port, "DELETE", "/metrics").headers["allow"] == "GET"


def test_a_version_is_the_digest_of_the_artifact(server, ask, artifact) -> None:
    """The paths with the version in service answer as those without; another version is not served."""
    model = "/v2/models/intents"
    versioned = f"{model}/versions/{artifact.name}"
    assert ask(server.port, "GET", versioned).json() == ask(server.port, "GET", model).json()
    assert ask(server.port, "GET", f"{versioned}/ready").json() == {"name": "intents", "ready": True}
    body = tensor(["i want my money back"], [1], id="same")
    found = ask(server.port, "POST", f"{versioned}/infer", body)
    assert found.status == 200
    assert found.json() == ask(server.port, "POST", INFER, body).json()
    for path in ("", "/ready", "/infer"):
        method = "POST" if path == "/infer" else "GET"
        other = ask(server.port, method, f"{model}/versions/0{path}", body if path == "/infer" else None)
        assert other.status == 404
        assert artifact.name in other.json()["error"]
    assert ask(server.port, "GET", f"{versioned}/nothing").status == 404
    assert ask(server.port, "GET", f"{versioned}/infer").headers["allow"] == "POST"


def test_openapi_lists_exactly_the_routes(server, ask, artifact) -> None:
    """The document has the routes that are served, each of which answers, and only references it defines."""
    document = ask(server.port, "GET", "/openapi.json").json()
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert listed == {(route.method, route.path) for route in routes("intents")}
    for method, path in listed:
        asked = path.replace("{version}", artifact.name)
        assert ask(server.port, method, asked, b"{}" if method == "POST" else None).status in (200, 422)
    text = json.dumps(document)
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.split('"')[0] in document["components"]["schemas"]


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HELLO = {"input": "hello"}


def test_another_content_type_is_refused(server, ask) -> None:
    """415 for a form, 200 for JSON with or without its name."""
    form = ask(server.port, "POST", "/v1/predict", HELLO, content_type="application/x-www-form-urlencoded")
    assert (form.status, form.headers["connection"]) == (415, "close")
    assert "application/json" in form.json()["error"]
    assert ask(server.port, "POST", "/v1/predict", HELLO, content_type="application/json").status == 200
    assert ask(server.port, "POST", "/v1/predict", HELLO).status == 200


def test_a_request_id_comes_back(server, ask) -> None:
    """With the answer and with a refusal of the body; a malformed one does not."""
    assert (
        ask(server.port, "POST", "/v1/predict", HELLO, x_request_id="mine").headers["x-request-id"] == "mine"
    )
    refused = ask(server.port, "POST", "/v1/predict", {}, x_request_id="mine")
    assert (refused.status, refused.headers["x-request-id"]) == (422, "mine")
    assert "x-request-id" not in ask(server.port, "POST", "/v1/predict", HELLO, x_request_id="a b").headers


def test_a_timeout_that_is_no_number_is_refused(server, ask) -> None:
    """422 before the body; a generous one changes nothing."""
    assert ask(server.port, "POST", "/v1/predict", HELLO, x_request_timeout_ms="soon").status == 422
    assert ask(server.port, "POST", "/v1/predict", HELLO, x_request_timeout_ms="60000").status == 200


def test_a_half_closed_connection_still_gets_its_answers(server) -> None:
    """A client that has sent all it will and says so reads the answers to what it sent."""
    body = b'{"input": "hello"}'
    one = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(3 * one)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_many_pipelined_requests_are_answered_in_order(server) -> None:
    """More than may wait at once, a refusal among them: every one is answered, in turn."""
    requests = b""
    for number in range(40):
        body = b"{}" if number == 20 else b'{"input": "hello"}'
        requests += b"POST /v1/predict HTTP/1.1\r\nX-Request-ID: %d\r\nContent-Length: %d\r\n" % (
            number,
            len(body),
        )
        requests += (b"Connection: close\r\n\r\n" if number == 39 else b"\r\n") + body
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(requests)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    ids = [part.split(b"\r\n")[0] for part in answer.split(b"x-request-id: ")[1:]]
    assert ids == [b"%d" % number for number in range(40)]
    assert answer.count(b"HTTP/1.1 422 ") == 1
    assert answer.count(b"HTTP/1.1 200 ") == 39


def test_a_head_without_end_is_cut_off(server) -> None:
    """431 when request line and headers have more bytes than allowed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 70_000)
        assert client.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_metrics_hold_a_ledger_that_balances(server, ask) -> None:
    """The steps of the requests in between add up to no more than their latencies, and each took time."""

    def look() -> tuple[Ledger, float]:
        text = ask(server.port, "GET", "/metrics").body.decode()
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        named = {"route": "predict"}
        total = next(s for s in samples if s.name == "coffey_request_seconds_sum" and s.labels == named)
        return read_ledger(text), total.value

    ask(server.port, "POST", "/v1/predict", HELLO)
    before, seconds_before = look()
    for _ in range(5):
        ask(server.port, "POST", "/v1/predict", HELLO)
    after, seconds = look()
    ledger = after.since(before)
    assert ledger.requests == 5
    assert min(ledger.seconds.values()) >= 0
    assert all(ledger.seconds[step] > 0 for step in ("accept", "parse", "tokenize", "run", "write", "log"))
    answered = sum(value for step, value in ledger.seconds.items() if step != "log")
    assert answered == pytest.approx(seconds - seconds_before, rel=1e-6)
