"""The OpenAPI 3.1 document, made of the routes that are served and the structs that are decoded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from coffey import _version
from coffey.serve.bodies import ErrorBody
from coffey.serve.routes import Route

_REFUSALS = {
    408: "The body did not arrive in time.",
    413: "The body is over the limit; it was not read.",
    415: "The body is encoded in a way that is not accepted.",
    422: "The body is not valid; the message says which part.",
    429: "The queue is full; Retry-After says when to ask again.",
    500: "The model failed on this request.",
    503: "No model is loaded, or the server is shutting down.",
}
_TEMPLATE = "#/components/schemas/{name}"


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document of these routes."""
    routes = list(routes)
    bodies = [body for route in routes for body in (route.request, route.response) if body is not None]
    types = list(dict.fromkeys([*bodies, ErrorBody]))
    schemas, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    of_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, of_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Coffey", "version": _version.__version__},
        "paths": paths,
        "components": {"schemas": components},
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
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[route.request]}},
        }
        error = {"application/json": {"schema": schemas[ErrorBody]}}
        for status, meaning in _REFUSALS.items():
            operation["responses"][str(status)] = {"description": meaning, "content": error}
    return operation
