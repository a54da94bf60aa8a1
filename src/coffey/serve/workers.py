"""Several workers: processes on one port, each on a core of its own, and their supervisor.

The supervisor loads no model and answers nothing. It forks the workers, starts one anew when it dies, and
hands SIGTERM, SIGINT and SIGHUP on. Each worker has a listening socket of its own (SO_REUSEPORT), so that the
kernel spreads connections evenly: of one socket that all accept from, the first to wake takes a whole burst.
The supervisor keeps the sockets open, so that connections which a dead worker had not accepted wait for its
successor; only when that dies young as well are they sent away, and come to the others.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from coffey.core.clock import monotonic
from coffey.core.errors import CoffeyError, NotReady
from coffey.core.settings import ServeSettings
from coffey.serve.board import Board
from coffey.serve.events import Events, JsonEvents
from coffey.serve.listener import listen
from coffey.serve.metrics import restarts_text
from coffey.serve.server import Seat, ServeOptions, run_server

LOOK_SECONDS = 0.05
"""How often the supervisor looks for signals, and for workers that ended or are to be started anew."""
YOUNG_SECONDS = 5.0
"""A worker that died younger than this, and its successor too, is restarted after 0.5 s, then 1 s, 2 s, …"""
SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SET_PARENT_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""


@dataclass(slots=True)
class _Worker:
    number: int
    listener: socket.socket
    pid: int = 0
    """0 while there is no process."""
    started: float = 0.0
    ready: bool = False
    start_at: float = 0.0
    wait: float = 0.0
    """Seconds before it is started anew, if it dies young."""


class Supervisor:
    """Keeps the workers of one server alive."""

    def __init__(self, options: ServeOptions, events: Events) -> None:
        """Listen.

        Raises:
            ConfigError: the address cannot be bound.
        """
        with listen(options.settings) as alone:  # fails where others share the address already
            self.port: int = alone.getsockname()[1]
        self._settings = replace(
            options.settings, port=self.port, grpc_port=_free_grpc_port(options.settings)
        )
        self._options = replace(options, settings=self._settings)
        self._events = events
        self._workers = [
            _Worker(number, listen(self._settings, shared=True)) for number in range(options.settings.workers)
        ]
        self._board = Board(len(self._workers) + 1)
        self._restarts = 0
        self._leaving = False
        self._heard: deque[int] = deque()
        self._ready_from, self._ready_to = os.pipe()
        os.set_blocking(self._ready_from, False)

    def run(self, on_ready: Callable[[], None]) -> int:
        """Start the workers, tell `on_ready` once all answer, and stay until they have left.

        Returns:
            The exit code: 0 when every worker left with 0, else 1.

        Raises:
            NotReady: a worker ended before all were ready for the first time.
        """
        # Handlers, not a blocked mask: libraries start threads when they are imported, and a signal that the
        # main thread blocks goes to one of those and ends the process.
        before = {one: signal.signal(one, self._note) for one in _SIGNALS}
        self._show_restarts()
        codes: list[int] = []
        told = False
        try:
            while not self._leaving or any(worker.pid for worker in self._workers):
                self._start_due()
                select.select([self._ready_from], [], [], LOOK_SECONDS)
                while self._heard:
                    self._hear(self._heard.popleft())
                codes += self._reap(started=told)
                self._take_ready()
                if not told and all(worker.ready for worker in self._workers):
                    told = True
                    on_ready()
        finally:
            self._send(signal.SIGKILL)
            self._stop_listening()
            for one, handler in before.items():
                signal.signal(one, handler)
        return int(any(codes))

    def _start_due(self) -> None:
        for worker in self._workers:
            if not worker.pid and not self._leaving and monotonic() >= worker.start_at:
                if worker.listener.fileno() < 0:
                    worker.listener = listen(self._settings, shared=True)
                signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # what is sent to the child waits for it
                worker.pid = os.fork()
                if not worker.pid:
                    self._work(worker)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
                worker.started = monotonic()

    def _note(self, number: int, frame: object) -> None:
        """The signal handler: what is to be done waits until nothing else is being done."""
        self._heard.append(number)

    def _hear(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            again = self._leaving and number == signal.SIGINT
            self._leaving = True
            self._stop_listening()  # the workers still do, until they have drained
            # A terminal sends SIGINT to the workers too, and two of them mean not to wait.
            self._send(signal.SIGINT if again else signal.SIGTERM)
        elif number == signal.SIGHUP and not self._leaving:
            self._send(signal.SIGHUP)

    def _stop_listening(self) -> None:
        for worker in self._workers:
            worker.listener.close()

    def _send(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.pid:
                os.kill(worker.pid, number)

    def _reap(self, *, started: bool) -> list[int]:
        """The exit codes of the workers that left as they were told; those that died are restarted."""
        codes = []
        for worker in self._workers:
            if not worker.pid:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if not pid:
                continue
            code = os.waitstatus_to_exitcode(status)
            worker.pid, worker.ready = 0, False
            if self._leaving:
                codes.append(0 if code == -signal.SIGTERM else code)  # it had not begun to listen
                continue
            self._events("worker_died", worker=worker.number, code=code)
            if not started:
                raise NotReady(f"Worker {worker.number} ended with code {code} before it was ready.")
            self._plan_restart(worker)
        return codes

    def _plan_restart(self, worker: _Worker) -> None:
        now = monotonic()
        if now - worker.started >= YOUNG_SECONDS:
            worker.wait = 0.0
        worker.start_at = now + worker.wait
        if worker.wait:
            worker.listener.close()
        worker.wait = min(max(2 * worker.wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
        self._restarts += 1
        self._show_restarts()

    def _show_restarts(self) -> None:
        self._board.write(len(self._workers), restarts_text(self._restarts))

    def _take_ready(self) -> None:
        try:
            for number in os.read(self._ready_from, 4096):
                self._workers[number].ready = True
        except BlockingIOError:
            return

    def _work(self, worker: _Worker) -> NoReturn:
        """The forked process: serve, and leave with the exit code."""
        number, code = worker.number, 1
        try:
            _follow_parent()
            for one in _SIGNALS:
                signal.signal(one, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it follows the registry, it reads it anyway
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for other in self._workers:
                if other is not worker:
                    other.listener.close()
            _pin(number, threads=self._options.settings.threads)
            seat = Seat(number, worker.listener, self._board)
            code = run_server(
                self._options,
                on_ready=lambda port: _say(self._ready_to, number),
                events=lambda event, **details: self._events(event, worker=number, **details),
                seat=seat,
            )
        except CoffeyError as exc:
            self._events("worker_failed", worker=number, error=str(exc))
            code = exc.exit_code
        except BaseException as exc:  # noqa: BLE001 - the edge of the process
            self._events("worker_failed", worker=number, error=f"{type(exc).__name__}: {exc}")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def run_workers(
    options: ServeOptions,
    *,
    on_ready: Callable[[int], None] = lambda port: None,
    events: Events | None = None,
) -> int:
    """Serve with `settings.workers` processes until SIGTERM or SIGINT; one worker is served by this process.

    Call it from the main thread, before any other was started: workers are forked.

    Returns:
        The exit code: 0 when all left cleanly.

    Raises:
        ConfigError: the address cannot be bound.
        NotReady: a worker could not start; events say why.
        CoffeyError: there is no model to serve.
    """
    if options.settings.workers == 1:
        return run_server(options, on_ready=on_ready, events=events)
    supervisor = Supervisor(options, JsonEvents() if events is None else events)
    return supervisor.run(lambda: on_ready(supervisor.port))


def cores_of(number: int, cores: Sequence[int], *, threads: int) -> set[int]:
    """The cores of one worker: as many as it has threads, its own while there are enough.

    >>> [cores_of(number, (0, 1, 2, 3), threads=2) for number in range(3)]
    [{0, 1}, {2, 3}, {0, 1}]
    """
    first = number * threads
    return {cores[(first + turn) % len(cores)] for turn in range(min(threads, len(cores)))}


def _free_grpc_port(settings: ServeSettings) -> int | None:
    """The port that all workers open for gRPC; a free one where it is 0.

    Raises:
        ConfigError: others listen there.
    """
    if settings.grpc_port is None:
        return None
    with listen(replace(settings, port=settings.grpc_port), setting="serve.grpc_port") as alone:
        return int(alone.getsockname()[1])


def _pin(number: int, *, threads: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores_of(number, cores, threads=threads))


def _follow_parent() -> None:
    """Leave when the supervisor dies, so that nobody answers unsupervised (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _say(pipe: int, number: int) -> None:
    os.write(pipe, bytes([number]))
