"""A span for each request whose trace is sampled, for an OpenTelemetry collector (the extra `otel`).

Whoever began the trace decides whether it is sampled, and says so in `traceparent`; nothing is made of other
requests. Where the collector is, and the name of the service, is said by OpenTelemetry's own environment
variables (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
"""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from coffey._version import __version__
from coffey.serve.access import AccessLine

_SAMPLED = 1
"""Of the flags, https://www.w3.org/TR/trace-context/#sampled-flag."""
_FAILED = 500
"""The lowest status that is the server's fault."""


class Spans:
    """Sends spans from a thread of its own; those that a full buffer does not take are dropped."""

    def __init__(self, service: str) -> None:
        """Start the sender; `service` is the name where the environment says none."""
        resource = Resource.create({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("coffey", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def put(self, line: AccessLine) -> None:
        """Make the span of a request, if its trace is sampled."""
        parent = line.traceparent
        if parent is None or not int(parent[-2:], 16) & _SAMPLED:
            return
        span = self._tracer.start_span(
            line.route,
            self._propagator.extract({"traceparent": parent}),
            kind=SpanKind.SERVER,
            start_time=round(1e9 * (line.time - line.ms / 1000)),
            attributes={
                "http.response.status_code": line.status,
                **({"coffey.id": line.id} if line.id else {}),
            },
        )
        if line.status >= _FAILED:
            span.set_status(Status(StatusCode.ERROR))
        span.end(round(1e9 * line.time))

    def close(self) -> None:
        """Send what is there."""
        self._provider.shutdown()
