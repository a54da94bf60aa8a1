"""The table of what is served: the application answers exactly these, and OpenAPI lists exactly these."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from coffey.serve import bodies

JSON = "application/json"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    response: type | None = None
    request: type | None = None
    unready: type | None = None
    """The body of a 503 of a route that has no request body."""
    conflict: str = ""
    """What a 409 of this route means."""
    binary: bool = False
    """Whether tensors may follow the JSON of its bodies."""
    content_type: str = JSON
    schema: dict[str, Any] = field(default_factory=dict)
    """Schema of an answer that is no struct."""
    versioned: bool = False
    """Whether `{version}` in the path stands for the digest of the artifact in service."""


VERSIONS = "/versions/"


def model_path(model_name: str) -> str:
    """Where the Open Inference Protocol has the model."""
    return f"/v2/models/{quote(model_name, safe='')}"


def routes(model_name: str) -> tuple[Route, ...]:
    """What a server of one model answers; `model_name` is the model's name in the Open Inference Protocol."""
    model = model_path(model_name)
    found = _routes(model)
    versions = [
        replace(
            route,
            name=f"{route.name}_version",
            path=f"{model}{VERSIONS}{{version}}{route.path.removeprefix(model)}",
            versioned=True,
        )
        for route in found
        if route.path.startswith(model)
    ]
    return (*found, *versions)


def _routes(model: str) -> tuple[Route, ...]:
    return (
        Route(
            "predict",
            "POST",
            "/v1/predict",
            "Label one or many texts",
            bodies.PredictResponse,
            bodies.PredictRequest,
        ),
        Route(
            "infer",
            "POST",
            f"{model}/infer",
            "Label texts (Open Inference Protocol)",
            bodies.InferResponse,
            bodies.InferRequest,
            binary=True,
        ),
        Route(
            "reload",
            "POST",
            "/admin/reload",
            "Look at the registry now, and answer when its model is in service",
            bodies.Reloaded,
            conflict="The new model is not to be served; the one before goes on.",
        ),
        Route("server", "GET", "/v2", "Name and version of the server", bodies.ServerMetadata),
        Route("live", "GET", "/v2/health/live", "Whether the process runs", bodies.Live),
        Route(
            "ready",
            "GET",
            "/v2/health/ready",
            "Whether predictions are answered",
            bodies.Ready,
            unready=bodies.Ready,
        ),
        Route("healthz", "GET", "/healthz", "The same as ready", bodies.Ready, unready=bodies.Ready),
        Route(
            "model",
            "GET",
            model,
            "Inputs and outputs of the model",
            bodies.ModelMetadata,
            unready=bodies.ErrorBody,
        ),
        Route(
            "model_ready",
            "GET",
            f"{model}/ready",
            "Whether the model answers",
            bodies.ModelReady,
            unready=bodies.ModelReady,
        ),
        Route(
            "metrics",
            "GET",
            "/metrics",
            "Figures for Prometheus",
            content_type=TEXT,
            schema={"type": "string"},
        ),
        Route("openapi", "GET", "/openapi.json", "This document", schema={"type": "object"}),
    )
