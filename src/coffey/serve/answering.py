"""From a request to its answer, and what is kept of it: the same whichever protocol carried it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from coffey.core.clock import Clock, monotonic, unix_now
from coffey.core.errors import ServeError
from coffey.serve.access import AccessLine, Sink
from coffey.serve.bodies import ErrorBody
from coffey.serve.dataplane import Answer, DataPlane
from coffey.serve.events import Events
from coffey.serve.exchange import Request, Response, encoder, read_head, refusal
from coffey.serve.keys import ApiKeys, Unauthorized
from coffey.serve.limits import Limits
from coffey.serve.metrics import Measurements

Decoded = tuple[Sequence[str], Callable[[Answer], Response]]
"""The texts of a request, and how their answer becomes the response."""
Decode = Callable[[Request], Decoded]
Begun = Response | Coroutine[Any, Any, Response]
"""An answer, or what is to be awaited for it."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose texts are known."""

    request: Request
    route: str
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
    sinks: tuple[Sink, ...] = ()
    """Each is told of every request."""


class Answering:
    """Admits, answers, counts and logs requests for one data plane."""

    def __init__(
        self,
        plane: DataPlane,
        *,
        edge: Edge,
        measurements: Measurements,
        events: Events,
        clock: Clock = monotonic,
    ) -> None:
        self.edge = edge
        self._plane = plane
        self._measurements = measurements
        self._steps = measurements.steps
        self._events = events
        self._clock = clock

    def screen(self, request: Request, route: str, *, binary: bool = False) -> Response | None:
        """Refuse by the head alone, before the body is read; None lets the body come."""
        try:
            read_head(request, self.edge.limits, binary=binary)
            if not self.edge.keys.allow(request.key):
                raise Unauthorized
            self._plane.check_open()
        except ServeError as exc:
            return refusal(exc, route)
        return None

    def admit(self, route: str) -> Response | None:
        """Refuse what the screen let pass before, where nothing is taken now; None lets it come."""
        try:
            self._plane.check_open()
        except ServeError as exc:
            return refusal(exc, route)
        return None

    def answer(self, decode: Decode, request: Request, route: str) -> Begun:
        """Texts to labels, at once where nobody else is asking.

        Raises:
            ServeError: the request is refused.
        """
        started = self._clock()
        texts, encode = decode(request)
        asked = _Asked(request, route, texts, encode, started, self._clock())
        answer = self._plane.answer_at_once(texts, request.deadline)
        return self._answer_later(asked) if answer is None else self._answered(asked, answer)

    async def wait(self, begun: Coroutine[Any, Any, Response], request: Request, route: str) -> Response:
        """What was begun, or its refusal."""
        try:
            return await begun
        except Exception as exc:  # noqa: BLE001 - the process edge: one request's failure is its own
            return self.failed(exc, request, route)

    def failed(self, exc: Exception, request: Request, route: str) -> Response:
        """What failed is refused; what should not have failed is an event as well."""
        if isinstance(exc, ServeError):
            response = refusal(exc, route)
        else:
            self._events("request_failed", route=route, error=f"{type(exc).__name__}: {exc}")
            failed = ErrorBody("The model failed on this request; the server's log says why.")
            response = Response(500, encoder.encode(failed), route=route)
        return self.counted(response, request)

    def counted(self, response: Response, request: Request) -> Response:
        """A response without an answer of the model, which is counted when it is out."""
        route, status = response.route, response.status  # a closure over the response would be a cycle
        response.sent = lambda now: self._count(route, status, request, now)
        return _echo(response, request)

    def refused(self, response: Response, request: Request | None) -> None:
        """Count an answer to what was never begun; the request is None where none could be read."""
        self._count(response.route, response.status, request, self._clock())

    async def _answer_later(self, asked: _Asked) -> Response:
        return self._answered(asked, await self._plane.answer(asked.texts, asked.request.deadline))

    def _answered(self, asked: _Asked, answer: Answer) -> Response:
        """The response. The record of it is made after the answer is out: nobody waits for it."""
        answered = self._clock()
        request = asked.request
        response = asked.encode(answer)
        response.route = asked.route

        def sent(now: float) -> None:
            self._plane.record(answer, asked.texts, request.arrived, now)
            self._count(asked.route, 200, request, now, answer.id)
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
        return _echo(response, request) if request.request_id else response

    def _count(
        self, route: str, status: int, request: Request | None, now: float, answer_id: str | None = None
    ) -> None:
        seconds = now - request.arrived if request is not None else 0.0
        self._measurements.request(route, status, seconds)
        if not self.edge.sinks:
            return
        line = AccessLine(
            time=unix_now(),
            route=route,
            status=status,
            ms=1000 * seconds,
            id=answer_id,
            request_id=_text(request.request_id if request else None),
            traceparent=_text(request.traceparent if request else None),
        )
        for sink in self.edge.sinks:
            sink.put(line)


def _echo(response: Response, request: Request) -> Response:
    if request.request_id is not None:
        response.headers.append((b"x-request-id", request.request_id))
    return response


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("ascii")
