"""The Open Inference Protocol over gRPC: another way to the same answers (the extra `grpc`).

A call becomes a request as HTTP's are, its metadata being the headers: the same keys, limits, deadline,
queue, log and audits hold, and what is refused has the same reason and the status that gRPC has for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import grpc
import msgspec

from coffey.core.clock import monotonic
from coffey.core.errors import ConfigError, Problem, ServeError
from coffey.core.settings import ServeSettings
from coffey.serve.answering import Decoded
from coffey.serve.app import App
from coffey.serve.bodies import ErrorBody
from coffey.serve.dataplane import Answer
from coffey.serve.exchange import Request, Response
from coffey.serve.limits import NotServed, check_served
from coffey.serve.rpc_infer import decode_message, encode_message, texts_of
from coffey.serve.rpc_messages import MESSAGES, SERVICE
from coffey.serve.tls import Tls

ROUTE = "grpc_infer"
"""Of its metrics and in the access log."""
_HEADERS = {"authorization", "x-api-key", "x-request-id", "x-request-timeout-ms", "traceparent"}
"""Metadata that are read."""
_SENT = (b"retry-after", b"x-request-id")
"""Headers of an answer that are its trailing metadata."""
_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""For the statuses of HTTP; anything else is internal."""
_Context: TypeAlias = grpc.aio.ServicerContext
_Call = Callable[[bytes, _Context], Coroutine[Any, Any, bytes]]


class RpcServer:
    """A gRPC server in the event loop of the HTTP server, for the same application."""

    def __init__(self, app: App, settings: ServeSettings, tls: Tls | None, *, shared: bool) -> None:
        """Bind, in the running event loop.

        Args:
            app: answers.
            settings: the address, and the bytes of a message.
            tls: its certificate; without encryption when None.
            shared: whether other workers listen on the same port.

        Raises:
            ConfigError: the address cannot be bound.
        """
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", settings.max_body_bytes),
                ("grpc.so_reuseport", int(shared)),
            ]
        )
        self._server.add_generic_rpc_handlers((_handler(_Service(app)),))
        self._tls = tls
        self._certificate: object = None
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.port = self._bind(f"{host}:{settings.grpc_port}")

    async def start(self) -> None:
        """Answer from now on."""
        await self._server.start()

    async def stop(self, finish_seconds: float) -> None:
        """Take no new calls, and wait for those in work."""
        await self._server.stop(finish_seconds)

    def renew(self) -> None:
        """Read the certificate anew, for connections that begin from now on."""
        if self._tls is not None:
            self._certificate = _read(self._tls)

    def _bind(self, address: str) -> int:
        try:
            if self._tls is None:
                return int(self._server.add_insecure_port(address))
            self._certificate = _read(self._tls)
            credentials = grpc.dynamic_ssl_server_credentials(self._certificate, lambda: self._certificate)
            return int(self._server.add_secure_port(address, credentials))
        except RuntimeError as exc:
            problem = Problem("serve.grpc_port", address, f"a free address on this machine ({exc})")
            raise ConfigError("serve", [problem]) from exc


def _read(tls: Tls) -> object:
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    return grpc.ssl_server_certificate_configuration([pair])


def _handler(service: _Service) -> grpc.GenericRpcHandler:
    calls: dict[str, _Call] = {
        "ServerLive": service.live,
        "ServerReady": service.ready,
        "ModelReady": service.model_ready,
        "ServerMetadata": service.server_metadata,
        "ModelMetadata": service.model_metadata,
        "ModelInfer": service.infer,
    }
    # Without serializers the handlers get and give bytes: what cannot be read is then refused in our words.
    methods = {name: grpc.unary_unary_rpc_method_handler(call) for name, call in calls.items()}
    return grpc.method_handlers_generic_handler(SERVICE, methods)


class _Service:
    """The methods of `GRPCInferenceService`, from and to the bytes of their messages."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._answering = app.answering

    async def live(self, body: bytes, context: _Context) -> bytes:
        return _bytes("ServerLiveResponse", live=True)

    async def ready(self, body: bytes, context: _Context) -> bytes:
        return _bytes("ServerReadyResponse", ready=self._app.is_ready())

    async def model_ready(self, body: bytes, context: _Context) -> bytes:
        try:
            asked = decode_message("ModelReadyRequest", body)
            self._check_served(asked.name, asked.version)
        except NotServed:
            return _bytes("ModelReadyResponse", ready=False)
        except ServeError as exc:
            return await self._refuse(exc, context)
        return _bytes("ModelReadyResponse", ready=self._app.is_ready())

    async def server_metadata(self, body: bytes, context: _Context) -> bytes:
        return _bytes("ServerMetadataResponse", **msgspec.to_builtins(self._app.server_metadata()))

    async def model_metadata(self, body: bytes, context: _Context) -> bytes:
        try:
            asked = decode_message("ModelMetadataRequest", body)
            self._check_served(asked.name, asked.version)
            found = msgspec.to_builtins(self._app.model_metadata())
        except ServeError as exc:
            return await self._refuse(exc, context)
        found.pop("labels", None)  # the message has no place for them
        return _bytes("ModelMetadataResponse", **found)

    async def infer(self, body: bytes, context: _Context) -> bytes:
        request = _request(context)
        request.body = body
        self._app.begun += 1
        try:
            response = await self._answer(request)
        finally:
            self._app.begun -= 1
        return await _finish(response, context)

    async def _answer(self, request: Request) -> Response:
        answering = self._answering
        refused = answering.screen(request, ROUTE)
        if refused is not None:
            return answering.counted(refused, request)
        try:
            begun = answering.answer(self._decode, request, ROUTE)
        except Exception as exc:  # noqa: BLE001 - the process edge: one request's failure is its own
            return answering.failed(exc, request, ROUTE)
        return begun if isinstance(begun, Response) else await answering.wait(begun, request, ROUTE)

    def _decode(self, request: Request) -> Decoded:
        message = decode_message("ModelInferRequest", request.body)
        self._check_served(message.model_name, message.model_version)
        asked, texts = texts_of(message, self._app.limits)
        version, raw = message.model_version, bool(message.raw_input_contents)

        def encode(answer: Answer) -> Response:
            if version:
                check_served(version, answer.model.digest)
            return Response(200, encode_message(asked, answer, self._app.model_name, raw=raw))

        return texts, encode

    async def _refuse(self, exc: ServeError, context: _Context) -> bytes:
        return await _finish(self._answering.failed(exc, _request(context), "grpc_model"), context)

    def _check_served(self, name: str, version: str) -> None:
        if name != self._app.model_name:
            raise NotServed("Model", name, self._app.model_name)
        self._app.check_version(version)


def _request(context: _Context) -> Request:
    """The head of a call; its deadline, where it has one, is the client's own."""
    headers = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in context.invocation_metadata() or ()
        if name in _HEADERS
    ]
    request = Request(b"POST", b"/" + SERVICE.encode(), headers, monotonic())
    left = context.time_remaining()
    if left is not None:
        request.deadline = request.arrived + left
    return request


async def _finish(response: Response, context: _Context) -> bytes:
    """Send an answer, or end the call with its refusal. What is left to do comes afterwards."""
    if response.sent is not None:
        asyncio.get_running_loop().call_soon(_tell, response.sent)
    metadata = tuple((name.decode(), value.decode()) for name, value in response.headers if name in _SENT)
    if response.status == 200:
        context.set_trailing_metadata(metadata)
        return response.body
    reason = msgspec.json.decode(response.body, type=ErrorBody).error
    code = _CODES.get(response.status, grpc.StatusCode.INTERNAL)
    ended: Awaitable[bytes] = context.abort(code, reason, metadata)
    return await ended


def _tell(sent: Callable[[float], None]) -> None:
    sent(monotonic())


def _bytes(message: str, /, **fields: object) -> bytes:
    encoded: bytes = MESSAGES[message](**fields).SerializeToString()
    return encoded
