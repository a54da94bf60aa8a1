"""The application: routes, limits, statuses. One dictionary look-up a request; no bytes of HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from msgspec import UNSET

from coffey import _version
from coffey.core.errors import CoffeyError
from coffey.serve.answering import Answering, Begun, Decode, Decoded
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
from coffey.serve.dataplane import Answer
from coffey.serve.exchange import (
    BINARY,
    CLOSE,
    JSON,
    JSON_BYTES,
    Request,
    Response,
    encoder,
)
from coffey.serve.heads import Heads
from coffey.serve.infer import EXTENSION, decode_infer, encode_infer
from coffey.serve.limits import check_served
from coffey.serve.metrics import Metrics
from coffey.serve.openapi import document
from coffey.serve.predict import decode_predict, encode_predict
from coffey.serve.routes import VERSIONS, Route, model_path, routes
from coffey.serve.swap import Follower
from coffey.serve.vigil import Vigil

Reply = tuple[int, object]
"""A status, and a struct or bytes."""


class App:
    """Answers HTTP requests by their paths."""

    def __init__(
        self,
        answering: Answering,
        follower: Follower,
        *,
        metrics: Metrics,
        model_name: str = "coffey",
    ) -> None:
        self.leaving = False
        """Set on SIGTERM: not ready any more, and connections are closed after their answer."""
        self.begun = 0
        """Requests that were read and are not done with; whoever carries them counts them."""
        self.limits = answering.edge.limits
        self.refused = answering.refused
        """Told of an answer that `begin` did not make."""
        self.vigil = Vigil()
        self.heads = Heads()
        self.answering = answering
        self.model_name = model_name
        self._follower = follower
        self._models = follower.models
        table = routes(model_name)
        self._openapi = encoder.encode(document(table, keys=answering.edge.keys.required))
        posts: dict[str, Callable[[Request, Route], Begun]] = {
            "predict": partial(self._answer, self._decode_predict),
            "infer": partial(self._answer, self._decode_infer),
            "reload": self._reload_now,
        }
        gets: dict[str, Callable[[], Reply]] = {
            "server": lambda: (200, self.server_metadata()),
            "live": lambda: (200, Live(live=True)),
            "ready": self._ready,
            "healthz": self._ready,
            "model": lambda: (200, self.model_metadata()),
            "model_ready": self._model_ready,
            "metrics": lambda: (200, metrics.text()),
            "openapi": lambda: (200, self._openapi),
        }
        plain = [route for route in table if not route.versioned]
        self._posts = {r.path.encode(): (r, posts[r.name]) for r in plain if r.method == "POST"}
        self._gets = {r.path.encode(): (r, self._got(gets[r.name])) for r in plain if r.method == "GET"}
        self._model_path = model_path(model_name).encode()
        self._versions_path = self._model_path + VERSIONS.encode()

    def screen(self, request: Request) -> Response | None:
        """Refuse by the head alone, before the body is read; None lets the body come."""
        if request.path.startswith(self._versions_path):
            version, slash, rest = request.path[len(self._versions_path) :].partition(b"/")
            request.version = version.decode("latin-1")
            request.path = self._model_path + slash + rest
        post = self._posts.get(request.path)
        if post is None or request.method != b"POST":
            known = request.path in self._gets and request.method in (b"GET", b"HEAD")
            return None if known else self._unknown(request)
        route = post[0]
        return self.answering.screen(request, route.name, binary=route.binary)

    def admit(self, request: Request) -> Response | None:
        """Screen a request whose head passed before."""
        if request.method != b"POST":
            return None
        return self.answering.admit(self._posts[request.path][0].name)

    def begin(self, request: Request) -> Begun:
        """Answer a whole request that passed the screen: at once, or with what is to be awaited.

        Neither raises.
        """
        table = self._posts if request.method == b"POST" else self._gets
        route, begin = table[request.path]
        try:
            begun = begin(request, route)
        except Exception as exc:  # noqa: BLE001 - the process edge: one request's failure is its own
            return self.answering.failed(exc, request, route.name)
        return begun if isinstance(begun, Response) else self.answering.wait(begun, request, route.name)

    def is_ready(self) -> bool:
        """Whether predictions are answered."""
        return self._models.current is not None and not self.leaving

    def server_metadata(self) -> ServerMetadata:
        """Name, version and extensions of the Open Inference Protocol."""
        return ServerMetadata("coffey", _version.__version__, [EXTENSION])

    def model_metadata(self) -> ModelMetadata:
        """Inputs, outputs and version of the model.

        Raises:
            NotReady: there is none yet.
        """
        model = self._models.serving()
        many = model.scoring.independent
        shape = [-1, len(model.labels)] if many else [-1]
        return ModelMetadata(
            name=self.model_name,
            versions=[model.digest],
            platform="onnxruntime_onnx",
            inputs=[TensorMetadata("text", "BYTES", [-1])],
            outputs=[TensorMetadata("label", "BYTES", [-1]), TensorMetadata("score", "FP32", shape)],
            labels=list(model.labels) if many else UNSET,
        )

    def check_version(self, version: str | None) -> None:
        """Refuse a version that is not the one in service; None and "" are whichever is.

        Raises:
            NotServed: it is another one.
        """
        model = self._models.current
        if version and model is not None:
            check_served(version, model.digest)

    def _answer(self, decode: Decode, request: Request, route: Route) -> Begun:
        return self.answering.answer(decode, request, route.name)

    async def _reload_now(self, request: Request, route: Route) -> Response:
        try:
            digest = await self._follower.reload()
        except CoffeyError as exc:
            return self._plain(route, 409, ErrorBody(str(exc)), request)
        return self._plain(route, 200, Reloaded(digest), request)

    def _got(self, reply: Callable[[], Reply]) -> Callable[[Request, Route], Begun]:
        def got(request: Request, route: Route) -> Response:
            self.check_version(request.version)
            return self._plain(route, *reply(), request)

        return got

    def _plain(self, route: Route, status: int, body: object, request: Request) -> Response:
        content = body if isinstance(body, bytes) else encoder.encode(body)
        kind = route.content_type.encode() if status == HTTPStatus.OK else JSON
        return self.answering.counted(Response(status, content, kind, route=route.name), request)

    def _unknown(self, request: Request) -> Response:
        tables = (("GET", self._gets), ("POST", self._posts))
        allowed = [name for name, table in tables if request.path in table]
        status = HTTPStatus.METHOD_NOT_ALLOWED if allowed else HTTPStatus.NOT_FOUND
        headers = [(b"allow", ", ".join(allowed).encode())] if allowed else []
        asked = f"{request.method.decode('latin-1')} {request.path.decode('latin-1')}"
        body = encoder.encode(ErrorBody(f"{asked} is not served here; /openapi.json lists what is."))
        return Response(int(status), body, headers=[*headers, CLOSE])

    def _decode_predict(self, request: Request) -> Decoded:
        asked, texts = decode_predict(request.body, self.limits)
        return texts, lambda answer: Response(200, encoder.encode(encode_predict(asked, answer)))

    def _decode_infer(self, request: Request) -> Decoded:
        self.check_version(request.version)
        asked, texts = decode_infer(request.body, self.limits, request.json_bytes)

        def encode(answer: Answer) -> Response:
            if request.version:
                check_served(request.version, answer.model.digest)
            found, tensors = encode_infer(asked, answer, self.model_name)
            body = encoder.encode(found)
            if not tensors:
                return Response(200, body)
            return Response(200, body + tensors, BINARY, [(JSON_BYTES, b"%d" % len(body))])

        return texts, encode

    def _ready(self) -> Reply:
        ready = self.is_ready()
        return (200 if ready else 503), Ready(ready)

    def _model_ready(self) -> Reply:
        ready = self.is_ready()
        return (200 if ready else 503), ModelReady(self.model_name, ready)
