"""A sampled request becomes a span of its caller's trace; another one leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("opentelemetry.sdk")
pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
HELLO = {"input": "hello"}


class Collector(HTTPServer):
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.requests: list[ExportTraceServiceRequest] = []

    def spans(self) -> list:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector(monkeypatch) -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield server
        server.shutdown()
        thread.join()


def test_a_span_is_sent_where_the_trace_is_sampled(serve, ask, collector) -> None:
    """It has the caller's trace and parent, the route, the status and the time of the request."""
    running = serve(settings={"traces": True})
    port = running.port
    sampled, left = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
    found = ask(port, "POST", "/v1/predict", HELLO, traceparent=sampled)
    ask(port, "POST", "/v1/predict", HELLO, traceparent=left)
    ask(port, "POST", "/v1/predict", HELLO)
    ask(port, "POST", "/v1/predict", {}, traceparent=sampled)
    assert running.stop() == 0
    answered, refused = sorted(collector.spans(), key=lambda span: span.start_time_unix_nano)
    for span, status in ((answered, 200), (refused, 422)):
        assert (span.trace_id.hex(), span.parent_span_id.hex(), span.name) == (TRACE, PARENT, "predict")
        assert span.end_time_unix_nano > span.start_time_unix_nano
        attributes = {item.key: item.value for item in span.attributes}
        assert attributes["http.response.status_code"].int_value == status
    assert {item.key: item.value.string_value for item in answered.attributes}["coffey.id"] == found.json()[
        "id"
    ]
    (named,) = [
        item.value.string_value
        for item in collector.requests[0].resource_spans[0].resource.attributes
        if item.key == "service.name"
    ]
    assert named == "intents"
