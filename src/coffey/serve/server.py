"""Running the server: one process, one event loop, one port; leaves without losing a request."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from coffey.core.clock import monotonic
from coffey.core.errors import CoffeyError, ConfigError
from coffey.core.settings import ServeSettings
from coffey.serve.access import AccessLog, Sink
from coffey.serve.answering import Answering, Edge
from coffey.serve.app import App
from coffey.serve.audit import AuditChoice
from coffey.serve.batching import INLINE_SECONDS, Batcher
from coffey.serve.board import Board
from coffey.serve.connection import Connection
from coffey.serve.dataplane import DataPlane
from coffey.serve.events import EventHandler, Events, JsonEvents
from coffey.serve.keys import ApiKeys
from coffey.serve.leaving import LeavingServer
from coffey.serve.limits import Limits
from coffey.serve.listener import admit_nobody, has_waiting, listen
from coffey.serve.metrics import Measurements, Metrics, ServerCollector
from coffey.serve.swap import Follower, Load, Models, Resolve
from coffey.serve.tls import Tls
from coffey.traffic.log import TrafficCounters, TrafficLog
from coffey.traffic.redaction import Redactor

if TYPE_CHECKING:
    from coffey.serve.rpc import RpcServer

SWITCH_SECONDS = 0.0005
"""How long another thread may keep the interpreter from the event loop (CPython's default is 5 ms)."""
QUIET_SECONDS = 0.25
"""A leaving server that saw no connection for this long does not wait for more; one that listens no more
waits this long for those who connected and did not ask yet."""
HANDSHAKE_SECONDS, LONGEST_HANDSHAKE_SECONDS = 0.1, 1.0
"""How long a leaving server waits for those who are connecting; at most, where it is busy with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What a server is made of."""

    resolve: Resolve
    """Which artifact is to be served now; asked every `settings.follow_seconds`."""
    load: Load
    """Opens, verifies and warms an artifact."""
    settings: ServeSettings = field(default_factory=ServeSettings)
    log_folder: Path | None = None
    """Where traffic segments go (`traffic.layout.segments_folder(root)`); None keeps no log."""
    rotate_seconds: float = 60.0
    """Age at which a traffic segment is sealed, so that `tick` can compact it."""
    redactor: Redactor | None = None
    """Decides what the log keeps of texts; all of them when None."""
    audit_probability: float = 0.0
    """Of a request; the mean one, where they differ by confidence."""
    audit_seed: int = 17
    model_name: str = "coffey"
    """The model's name in the Open Inference Protocol."""
    wait_for_model: bool = False
    """Listen, not ready, until there is a model, instead of refusing to start."""
    drain_seconds: float = 1.0
    """After SIGTERM: how long requests that still come are answered, their connections then closed."""
    finish_seconds: float = 30.0
    """After that: how long requests in work may take."""
    inline_seconds: float = INLINE_SECONDS
    keys: ApiKeys = field(default_factory=ApiKeys)
    """Who may ask."""
    tls: Tls | None = None
    """HTTPS alone when given, else HTTP."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of a worker among others."""

    number: int
    listener: socket.socket
    """The socket that this one accepts from."""
    board: Board
    """Where all write their metrics."""


class Server:
    """The parts of one server, and the order in which they start and stop."""

    def __init__(self, options: ServeOptions, events: Events, seat: Seat | None = None) -> None:
        """Load the first model and start the log.

        Raises:
            CoffeyError: there is no model to serve and `wait_for_model` is off.
        """
        settings = options.settings
        self.options = options
        self.events = events
        self.models = Models()
        self.follower = Follower(
            self.models,
            resolve=options.resolve,
            load=options.load,
            events=events,
            seconds=settings.follow_seconds,
        )
        if seat is not None:
            self.follower.reloaded = lambda: os.kill(os.getppid(), signal.SIGHUP)
        self._load_first()
        self.log = self._open_log()
        self.batcher = Batcher(
            self.models.serving,
            max_batch=settings.max_batch,
            max_queue=settings.max_queue,
            max_wait_s=settings.max_queue_ms / 1000,
            inline_seconds=options.inline_seconds,
        )
        audit = AuditChoice(rate=options.audit_probability, seed=options.audit_seed)
        self.plane = DataPlane(self.batcher, audit=audit, log=self.log)
        self.follower.recent = self.plane.recent.copy
        measurements = Measurements()
        self.batcher.runs = measurements.run
        self.metrics = Metrics(
            [ServerCollector(measurements, self.plane, self.models, self.follower)],
            board=seat.board if seat else None,
            place=seat.number if seat else 0,
        )
        self.sinks = _open_sinks(settings, options.model_name)
        answering = Answering(
            self.plane,
            edge=Edge(limits=Limits.of(settings), keys=options.keys, sinks=self.sinks),
            measurements=measurements,
            events=events,
        )
        self.app = App(answering, self.follower, metrics=self.metrics, model_name=options.model_name)
        self.batcher.begun = lambda: self.app.begun

    def close(self) -> TrafficCounters | None:
        """Stop the worker and flush the logs."""
        self.follower.close()
        self.batcher.close()
        for sink in self.sinks:
            sink.close()
        return self.log.close() if self.log is not None else None

    def _load_first(self) -> None:
        try:
            self.follower.first()
        except CoffeyError as exc:
            if not self.options.wait_for_model:
                raise
            self.events("model_missing", error=str(exc))

    def _open_log(self) -> TrafficLog | None:
        options = self.options
        if options.log_folder is None:
            return None
        return TrafficLog(
            options.log_folder,
            buffer=options.settings.log_buffer,
            rotate_seconds=options.rotate_seconds,
            redactor=options.redactor,
        )


class _Process(LeavingServer):
    """uvicorn with our way of leaving: not ready at once, then drain, then stop; the exit code is 0."""

    def __init__(self, config: uvicorn.Config, server: Server, on_ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._server = server
        self._on_ready = on_ready
        self._rpc: RpcServer | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then begin to follow the registry."""
        await super().startup(sockets)
        await self._start_rpc()
        self._begin(self._server.follower.run())
        self._begin(self._server.metrics.show())
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)
        port = self.servers[0].sockets[0].getsockname()[1]
        gc.collect()
        gc.freeze()
        grpc = {} if self._rpc is None else {"grpc_port": self._rpc.port}
        self._server.events("ready", port=port, **grpc, model=_digest(self._server.models))
        self._on_ready(port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what still comes for a while, closing connections; then listen no more, and finish."""
        options = self._server.options
        self._server.events("draining", seconds=options.drain_seconds)
        start = seen = monotonic()
        while (now := monotonic()) < min(start + options.drain_seconds, seen + QUIET_SECONDS):
            if self.force_exit:
                break
            await asyncio.sleep(0.01)
            if self.server_state.connections:
                seen = now
        await self._take_the_last(sockets or [])
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        last = monotonic() + QUIET_SECONDS
        while self.server_state.connections and monotonic() < last and not self.force_exit:
            await asyncio.sleep(0.01)
        if self._rpc is not None:
            await self._rpc.stop(0.0 if self.force_exit else options.finish_seconds)
        self._server.plane.closing = True
        for task in self._tasks:
            task.cancel()
        await super().shutdown(sockets)

    async def _take_the_last(self, listeners: list[socket.socket]) -> None:
        """Let nobody connect any more, and accept those who did."""
        for listener in listeners:
            admit_nobody(listener)
        start = monotonic()
        while not self.force_exit and (now := monotonic()) < start + LONGEST_HANDSHAKE_SECONDS:
            if now >= start + HANDSHAKE_SECONDS and not any(map(has_waiting, listeners)):
                break
            await asyncio.sleep(0.01)

    async def _start_rpc(self) -> None:
        """Open the port of gRPC, where one is set."""
        options = self._server.options
        if options.settings.grpc_port is None:
            return
        from coffey.serve.rpc import RpcServer  # only here: forked workers must not share its threads

        self._rpc = RpcServer(
            self._server.app, options.settings, options.tls, shared=options.settings.workers > 1
        )
        await self._rpc.start()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reload(self) -> None:
        """SIGHUP: look at the registry now, and read the certificate anew."""
        self._begin(self._server.follower.look_now())
        tls, context = self._server.options.tls, self.config.ssl
        if tls is not None and context is not None:
            try:
                tls.load(context)
                if self._rpc is not None:
                    self._rpc.renew()
            except ConfigError as exc:
                self._server.events("certificate_refused", error=str(exc))

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM, SIGINT: leave. A second SIGINT does not wait for anything."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
        self._server.app.leaving = True


def run_server(
    options: ServeOptions,
    *,
    on_ready: Callable[[int], None] = lambda port: None,
    events: Events | None = None,
    seat: Seat | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; call it from the main thread.

    Args:
        options: what to serve, and within which limits.
        on_ready: told the port once requests are answered (port 0 takes a free one).
        events: hears lifecycle events; JSON lines on standard error when absent.
        seat: the place among other workers; alone when absent.

    Returns:
        The exit code: 0.

    Raises:
        ConfigError: the address cannot be bound.
        CoffeyError: there is no model to serve.
    """
    events = JsonEvents() if events is None else events
    with seat.listener if seat else listen(options.settings) as listener:
        server = Server(options, events, seat)
        logger = logging.getLogger("uvicorn.error")
        logger.handlers, logger.propagate = [EventHandler(events)], False
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            process = _Process(_configure(server.app, options), server, on_ready)
            process.run(sockets=[listener])
        finally:
            counters = server.close()
            events("stopped", traffic=_shown(counters))
    return 0


def _configure(app: App, options: ServeOptions) -> uvicorn.Config:
    return uvicorn.Config(
        cast(Any, app),  # no ASGI application: `Connection` asks it directly
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=int(options.finish_seconds),
        ssl_certfile=options.tls.certificate if options.tls else None,
        ssl_keyfile=options.tls.key if options.tls else None,
    )


def _open_sinks(settings: ServeSettings, service: str) -> tuple[Sink, ...]:
    sinks: list[Sink] = [AccessLog(sys.stderr)] if settings.access_log else []
    if settings.traces:
        from coffey.serve.tracing import Spans  # the extra `otel`

        sinks.append(Spans(service))
    return tuple(sinks)


def _digest(models: Models) -> str | None:
    return models.current.digest if models.current is not None else None


def _shown(counters: TrafficCounters | None) -> dict[str, object] | None:
    if counters is None:
        return None
    return {"served": counters.served, "logged": counters.logged, "dropped": counters.dropped}
