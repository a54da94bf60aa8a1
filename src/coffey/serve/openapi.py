"""The OpenAPI 3.1 document, made of the routes that are served and the structs that are decoded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from coffey import _version
from coffey.serve.bodies import ErrorBody
from coffey.serve.exchange import DAY_MS
from coffey.serve.routes import Route

_REFUSALS = {
    401: "No API key that is known (where keys are set).",
    408: "The body did not arrive in time.",
    413: "The body is over the limit; it was not read.",
    415: "The body is no JSON, or encoded in a way that is not accepted.",
    422: "The body is not valid; the message says which part.",
    429: "The queue is full or would take too long; Retry-After says when to ask again.",
    431: "The request line and headers are over the limit.",
    500: "The model failed on this request.",
    503: "No model is loaded, or the server is shutting down.",
    504: "The time of x-request-timeout-ms was over before the model could run.",
}
_PARAMETERS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "x-request-timeout-ms",
        {"type": "integer", "minimum": 1, "maximum": DAY_MS},
        "When it is over before the model could run, the answer is 504.",
    ),
    ("x-request-id", {"type": "string"}, "Comes back with the answer, and is in the access log."),
    ("traceparent", {"type": "string"}, "W3C trace context, for the access log."),
)
_VERSION = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "The digest of the artifact in service.",
    "schema": {"type": "string", "pattern": "^[^/]+$"},
}
_BINARY: dict[str, Any] = {"application/octet-stream": {}}
"""The same JSON, with tensors behind it."""
_JSON_BYTES = {
    "name": "inference-header-content-length",
    "in": "header",
    "description": "Bytes of JSON in the body, where tensors follow it.",
    "schema": {"type": "integer", "minimum": 0},
}
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
_TEMPLATE = "#/components/schemas/{name}"


def document(routes: Iterable[Route], *, keys: bool = False) -> dict[str, Any]:
    """The document of these routes; `keys` says whether they ask for an API key."""
    routes = list(routes)
    bodies = [body for route in routes for body in (route.request, route.response) if body is not None]
    types = list(dict.fromkeys([*bodies, ErrorBody]))
    schemas, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    of_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, of_type)
        if keys and route.method == "POST":
            operation["security"] = [{name: []} for name in _KEYS]
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Coffey", "version": _version.__version__},
        "paths": paths,
        "components": {"schemas": components} | ({"securitySchemes": _KEYS} if keys else {}),
    }


def _operation(route: Route, schemas: dict[type, Any]) -> dict[str, Any]:
    content = {"schema": schemas[route.response]} if route.response else {"schema": route.schema}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {"200": {"description": "The answer.", "content": {route.content_type: content}}},
    }
    if route.unready is not None:
        operation["responses"]["503"] = {
            "description": "Not ready.",
            "content": {"application/json": {"schema": schemas[route.unready]}},
        }
    error = {"application/json": {"schema": schemas[ErrorBody]}}
    if route.versioned:
        operation["parameters"] = [_VERSION]
        operation["responses"]["404"] = {"description": "Another version is in service.", "content": error}
    if route.conflict:
        operation["responses"]["409"] = {"description": route.conflict, "content": error}
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[route.request]}},
        }
    if route.method == "POST":
        operation["parameters"] = operation.get("parameters", []) + [
            {"name": name, "in": "header", "description": meaning, "schema": schema}
            for name, schema, meaning in _PARAMETERS
        ]
        if route.binary:
            operation["requestBody"]["content"] |= _BINARY
            operation["responses"]["200"]["content"] |= _BINARY
            operation["parameters"].append(_JSON_BYTES)
        for status, meaning in _REFUSALS.items():
            operation["responses"][str(status)] = {"description": meaning, "content": error}
    return operation
