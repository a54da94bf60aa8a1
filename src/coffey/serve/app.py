"""The application: routes, limits, statuses. One dictionary look-up a request; no bytes of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from msgspec import UNSET

from coffey import _version
from coffey.core.clock import Clock, monotonic, unix_now
from coffey.core.errors import CoffeyError, ServeError
from coffey.serve.access import AccessLine, AccessLog
from coffey.serve.bodies import (
    ErrorBody,
    Live,
    ModelMetadata,
    ModelReady,
    Ready,
    Reloaded,
    ServerMetadata,
    TensorMetadata,
)
from coffey.serve.dataplane import Answer, DataPlane
from coffey.serve.events import Events
from coffey.serve.exchange import (
    BINARY,
    CLOSE,
    JSON,
    JSON_BYTES,
    Request,
    Response,
    encoder,
    read_head,
    refusal,
)
from coffey.serve.infer import EXTENSION, decode_infer, encode_infer
from coffey.serve.keys import ApiKeys, Unauthorized
from coffey.serve.limits import Limits
from coffey.serve.metrics import Measurements, Metrics
from coffey.serve.openapi import document
from coffey.serve.predict import decode_predict, encode_predict
from coffey.serve.routes import Route, routes
from coffey.serve.swap import Follower

Reply = tuple[int, object]
"""A status, and a struct or bytes."""
Decoded = tuple[Sequence[str], Callable[[Answer], Response]]
"""The texts of a request, and how their answer becomes the response."""
Begun = Response | Coroutine[Any, Any, Response]
"""An answer, or what is to be awaited for it."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose texts are known."""

    request: Request
    route: Route
    texts: Sequence[str]
    encode: Callable[[Answer], Response]
    started: float
    decoded: float
    """When its answer was begun, and when its texts were known; seconds of the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What is asked of a request before it is answered, and what is written of it."""

    limits: Limits = field(default_factory=Limits)
    keys: ApiKeys = field(default_factory=ApiKeys)
    access: AccessLog | None = None


class App:
    """Answers requests for one data plane."""

    def __init__(
        self,
        plane: DataPlane,
        follower: Follower,
        *,
        edge: Edge,
        measurements: Measurements,
        metrics: Metrics,
        events: Events,
        model_name: str = "coffey",
        clock: Clock = monotonic,
    ) -> None:
        self.leaving = False
        """Set on SIGTERM: not ready any more, and connections are closed after their answer."""
        self.begun = 0
        """Requests that were read and are not done with; the connections count them."""
        self.limits = edge.limits
        self._plane = plane
        self._follower = follower
        self._models = follower.models
        self._measurements = measurements
        self._steps = measurements.steps
        self._events = events
        self._keys = edge.keys
        self._access = edge.access
        self._model_name = model_name
        self._clock = clock
        table = routes(model_name)
        self._openapi = encoder.encode(document(table, keys=edge.keys.required))
        posts: dict[str, Callable[[Request, Route], Begun]] = {
            "predict": partial(self._answer, self._decode_predict),
            "infer": partial(self._answer, self._decode_infer),
            "reload": self._reload_now,
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
        self._posts = {r.path.encode(): (r, posts[r.name]) for r in table if r.method == "POST"}
        self._gets = {r.path.encode(): (r, self._got(gets[r.name])) for r in table if r.method == "GET"}

    def screen(self, request: Request) -> Response | None:
        """Refuse by the head alone, before the body is read; None lets the body come."""
        post = self._posts.get(request.path)
        if post is None or request.method != b"POST":
            known = request.path in self._gets and request.method in (b"GET", b"HEAD")
            return None if known else self._unknown(request)
        route = post[0]
        try:
            read_head(request, self.limits, binary=route.binary)
            if not self._keys.allow(request.key):
                raise Unauthorized
            self._plane.check_open()
        except ServeError as exc:
            return refusal(exc, route.name)
        return None

    def begin(self, request: Request) -> Begun:
        """Answer a whole request that passed the screen: at once, or with what is to be awaited.

        Neither raises.
        """
        table = self._posts if request.method == b"POST" else self._gets
        route, begin = table[request.path]
        try:
            begun = begin(request, route)
        except Exception as exc:  # noqa: BLE001 - the process edge: one request's failure is its own
            return self._failed(exc, request, route)
        return begun if isinstance(begun, Response) else self._wait(begun, request, route)

    def refused(self, response: Response, request: Request | None) -> None:
        """Count an answer that `begin` did not make."""
        self._count(response.route, response.status, request, self._clock())

    async def _wait(self, begun: Coroutine[Any, Any, Response], request: Request, route: Route) -> Response:
        try:
            return await begun
        except Exception as exc:  # noqa: BLE001 - as above
            return self._failed(exc, request, route)

    def _failed(self, exc: Exception, request: Request, route: Route) -> Response:
        """What failed is refused; what should not have failed is an event as well."""
        if isinstance(exc, ServeError):
            response = refusal(exc, route.name)
        else:
            self._events("request_failed", route=route.name, error=f"{type(exc).__name__}: {exc}")
            failed = ErrorBody("The model failed on this request; the server's log says why.")
            response = Response(500, encoder.encode(failed), route=route.name)
        return self._counted(response, request)

    def _answer(self, decode: Callable[[Request], Decoded], request: Request, route: Route) -> Begun:
        """Texts to labels, at once where nobody else is asking."""
        started = self._clock()
        texts, encode = decode(request)
        asked = _Asked(request, route, texts, encode, started, self._clock())
        answer = self._plane.answer_at_once(texts, request.deadline)
        return self._answer_later(asked) if answer is None else self._answered(asked, answer)

    async def _answer_later(self, asked: _Asked) -> Response:
        return self._answered(asked, await self._plane.answer(asked.texts, asked.request.deadline))

    def _answered(self, asked: _Asked, answer: Answer) -> Response:
        """The response. The record of it is made after the answer is out: nobody waits for it."""
        answered = self._clock()
        request = asked.request
        response = asked.encode(answer)
        response.route = asked.route.name

        def sent(now: float) -> None:
            self._plane.record(answer, asked.texts, request.arrived, now)
            self._count(asked.route.name, 200, request, now, answer.id)
            steps = self._steps
            steps.requests += 1
            steps.accept += asked.started - request.arrived
            steps.parse += asked.decoded - asked.started
            steps.tokenize += answer.tokenize_s
            steps.run += answer.run_s
            steps.queue += answered - asked.decoded - answer.tokenize_s - answer.run_s
            steps.write += now - answered
            steps.log += self._clock() - now

        response.sent = sent
        return self._echo(response, request) if request.request_id else response

    async def _reload_now(self, request: Request, route: Route) -> Response:
        try:
            digest = await self._follower.reload()
        except CoffeyError as exc:
            return self._plain(route, 409, ErrorBody(str(exc)), request)
        return self._plain(route, 200, Reloaded(digest), request)

    def _got(self, reply: Callable[[], Reply]) -> Callable[[Request, Route], Begun]:
        return lambda request, route: self._plain(route, *reply(), request)

    def _plain(self, route: Route, status: int, body: object, request: Request) -> Response:
        content = body if isinstance(body, bytes) else encoder.encode(body)
        kind = route.content_type.encode() if status == HTTPStatus.OK else JSON
        return self._counted(Response(status, content, kind, route=route.name), request)

    def _unknown(self, request: Request) -> Response:
        tables = (("GET", self._gets), ("POST", self._posts))
        allowed = [name for name, table in tables if request.path in table]
        status = HTTPStatus.METHOD_NOT_ALLOWED if allowed else HTTPStatus.NOT_FOUND
        headers = [(b"allow", ", ".join(allowed).encode())] if allowed else []
        asked = f"{request.method.decode('latin-1')} {request.path.decode('latin-1')}"
        body = encoder.encode(ErrorBody(f"{asked} is not served here; /openapi.json lists what is."))
        return Response(int(status), body, headers=[*headers, CLOSE])

    def _counted(self, response: Response, request: Request) -> Response:
        route, status = response.route, response.status  # a closure over the response would be a cycle
        response.sent = lambda now: self._count(route, status, request, now)
        return self._echo(response, request)

    @staticmethod
    def _echo(response: Response, request: Request) -> Response:
        if request.request_id is not None:
            response.headers.append((b"x-request-id", request.request_id))
        return response

    def _count(
        self, route: str, status: int, request: Request | None, now: float, answer_id: str | None = None
    ) -> None:
        seconds = now - request.arrived if request is not None else 0.0
        self._measurements.request(route, status, seconds)
        if self._access is not None:
            self._access.put(
                AccessLine(
                    time=unix_now(),
                    route=route,
                    status=status,
                    ms=1000 * seconds,
                    id=answer_id,
                    request_id=_text(request.request_id if request else None),
                    traceparent=_text(request.traceparent if request else None),
                )
            )

    def _decode_predict(self, request: Request) -> Decoded:
        asked, texts = decode_predict(request.body, self.limits)
        return texts, lambda answer: Response(200, encoder.encode(encode_predict(asked, answer)))

    def _decode_infer(self, request: Request) -> Decoded:
        asked, texts = decode_infer(request.body, self.limits, request.json_bytes)

        def encode(answer: Answer) -> Response:
            found, tensors = encode_infer(asked, answer, self._model_name)
            body = encoder.encode(found)
            if not tensors:
                return Response(200, body)
            return Response(200, body + tensors, BINARY, [(JSON_BYTES, b"%d" % len(body))])

        return texts, encode

    def _is_ready(self) -> bool:
        return self._models.current is not None and not self.leaving

    def _ready(self) -> Reply:
        ready = self._is_ready()
        return (200 if ready else 503), Ready(ready)

    def _model_ready(self) -> Reply:
        ready = self._is_ready()
        return (200 if ready else 503), ModelReady(self._model_name, ready)

    def _server(self) -> Reply:
        return 200, ServerMetadata("coffey", _version.__version__, [EXTENSION])

    def _model(self) -> Reply:
        model = self._models.current
        if model is None:
            return 503, ErrorBody("No model is loaded yet.")
        text = TensorMetadata("text", "BYTES", [-1])
        many = model.scoring.independent
        shape = [-1, len(model.labels)] if many else [-1]
        outputs = [TensorMetadata("label", "BYTES", [-1]), TensorMetadata("score", "FP32", shape)]
        labels = list(model.labels) if many else UNSET
        return 200, ModelMetadata(
            self._model_name, [model.digest], "onnxruntime_onnx", [text], outputs, labels
        )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("ascii")
