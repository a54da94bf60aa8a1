"""The ASGI application: routes, limits, statuses. No framework; one dictionary look-up a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from coffey import _version
from coffey.core.clock import Clock, monotonic
from coffey.core.errors import ServeError
from coffey.serve.bodies import (
    ErrorBody,
    Live,
    ModelMetadata,
    ModelReady,
    Ready,
    ServerMetadata,
    TensorMetadata,
)
from coffey.serve.dataplane import Answer, DataPlane
from coffey.serve.events import Events
from coffey.serve.exchange import (
    CLOSE,
    UNREAD,
    ClientGone,
    Header,
    Receive,
    Scope,
    Send,
    check_headers,
    encoder,
    read_body,
    refusal,
    respond,
)
from coffey.serve.limits import Limits
from coffey.serve.metrics import Measurements, Metrics
from coffey.serve.openapi import document
from coffey.serve.predict import decode_infer, decode_predict, encode_infer, encode_predict
from coffey.serve.routes import Route, routes
from coffey.serve.swap import Models

Reply = tuple[int, object]
"""A status, and a struct or bytes."""
Served = tuple[object, Answer, Sequence[str]]
"""The body of an answer, the answer, and the texts that it answers."""


class App:
    """Answers HTTP for one data plane."""

    def __init__(
        self,
        plane: DataPlane,
        models: Models,
        *,
        limits: Limits,
        measurements: Measurements,
        metrics: Metrics,
        events: Events,
        model_name: str = "coffey",
        clock: Clock = monotonic,
    ) -> None:
        self.leaving = False
        """Set on SIGTERM: not ready any more, and connections are closed after their answer."""
        self._plane = plane
        self._models = models
        self._limits = limits
        self._measurements = measurements
        self._events = events
        self._model_name = model_name
        self._clock = clock
        table = routes(model_name)
        self._openapi = encoder.encode(document(table))
        posts: dict[str, Callable[[bytes], Awaitable[Served]]] = {
            "predict": self._predict,
            "infer": self._infer,
        }
        gets: dict[str, Callable[[], Reply]] = {
            "server": self._server,
            "live": lambda: (200, Live(live=True)),
            "ready": self._ready,
            "healthz": self._ready,
            "model": self._model,
            "model_ready": self._model_ready,
            "metrics": lambda: (200, metrics.text()),
            "openapi": lambda: (200, self._openapi),
        }
        self._posts = {route.path: (route, posts[route.name]) for route in table if route.method == "POST"}
        self._gets = {route.path: (route, gets[route.name]) for route in table if route.method == "GET"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        started = self._clock()
        path, method = scope["raw_path"].decode("ascii"), scope["method"]
        post = self._posts.get(path)
        if post is not None and method == "POST":
            await self._post(*post, started, scope, receive, send)
            return
        get = self._gets.get(path)
        if get is not None and method in ("GET", "HEAD"):
            route, handler = get
            status, body = handler()
            await self._reply(send, route, status, body, started)
        else:
            await self._unknown(path, method, send)

    async def _post(
        self,
        route: Route,
        handler: Callable[[bytes], Awaitable[Served]],
        started: float,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            check_headers(scope["headers"], self._limits)
            self._plane.check_open()
            body = await read_body(receive, self._limits)
            content, answer, texts = await handler(body)
        except ClientGone:
            self._measurements.request(route.name, 499, 0.0)
            return
        except ServeError as exc:
            status, refused, headers = refusal(exc)
            if status in UNREAD:
                headers.append(CLOSE)
            await self._reply(send, route, status, refused, started, headers)
            return
        except Exception as exc:  # noqa: BLE001 - the process edge: one request's failure is its own
            self._events("request_failed", route=route.name, error=f"{type(exc).__name__}: {exc}")
            failed = ErrorBody("The model failed on this request; the server's log says why.")
            await self._reply(send, route, 500, failed, started)
            return
        try:
            await self._reply(send, route, 200, content, started)
        finally:
            self._plane.record(answer, texts, started)  # after the answer is out: nobody waits for it

    async def _reply(
        self,
        send: Send,
        route: Route,
        status: int,
        body: object,
        started: float,
        headers: list[Header] | None = None,
    ) -> None:
        content = body if isinstance(body, bytes) else encoder.encode(body)
        extra = headers or []
        if self.leaving and CLOSE not in extra:
            extra = [*extra, CLOSE]
        kind = route.content_type.encode() if status == 200 else b"application/json"
        await respond(send, status, content, kind, extra)
        self._measurements.request(route.name, status, self._clock() - started)

    async def _unknown(self, path: str, method: str, send: Send) -> None:
        allowed = [name for name, table in (("GET", self._gets), ("POST", self._posts)) if path in table]
        status = HTTPStatus.METHOD_NOT_ALLOWED if allowed else HTTPStatus.NOT_FOUND
        headers = [(b"allow", ", ".join(allowed).encode())] if allowed else []
        text = f"{method} {path} is not served here; /openapi.json lists what is."
        body = encoder.encode(ErrorBody(text))
        await respond(send, status, body, b"application/json", [*headers, CLOSE])
        self._measurements.request("unknown", int(status), 0.0)

    async def _predict(self, body: bytes) -> Served:
        request, texts = decode_predict(body, self._limits)
        answer = await self._plane.answer(texts)
        return encode_predict(request, answer), answer, texts

    async def _infer(self, body: bytes) -> Served:
        request, texts = decode_infer(body, self._limits)
        answer = await self._plane.answer(texts)
        return encode_infer(request, answer, self._model_name), answer, texts

    def _is_ready(self) -> bool:
        return self._models.current is not None and not self.leaving

    def _ready(self) -> Reply:
        ready = self._is_ready()
        return (200 if ready else 503), Ready(ready)

    def _model_ready(self) -> Reply:
        ready = self._is_ready()
        return (200 if ready else 503), ModelReady(self._model_name, ready)

    def _server(self) -> Reply:
        return 200, ServerMetadata("coffey", _version.__version__, [])

    def _model(self) -> Reply:
        model = self._models.current
        if model is None:
            return 503, ErrorBody("No model is loaded yet.")
        text = TensorMetadata("text", "BYTES", [-1])
        outputs = [TensorMetadata("label", "BYTES", [-1]), TensorMetadata("score", "FP32", [-1])]
        return 200, ModelMetadata(self._model_name, [model.digest], "onnxruntime_onnx", [text], outputs)
