"""Load over HTTP: the client runs in another process, on another core where there are two."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import numpy as np
import numpy.typing as npt

from coffey.bench.summary import Times, summarize
from coffey.core.errors import ServeError
from coffey.core.records import Latency
from coffey.stats.percentiles import percentile

_OVERHEAD_S = 60.0
"""Start of the client and its connections, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server and what it is asked."""

    host: str
    port: int
    bodies: Sequence[str]
    """JSON bodies, sent in turn."""
    subject: str
    path: str = "/v1/predict"
    core: int | None = None
    """The core that the client is kept on."""
    connections: int = 32
    warmup: int = 50


@dataclass(frozen=True, slots=True)
class HttpLoad:
    """A latency record, and what it was made of."""

    latency: Latency
    times_s: Times
    """Of each request, in the order of the answers."""
    statuses: npt.NDArray[np.uint16]
    """Of each request; 0 where there was no answer."""
    client_lag_p99_ms: float
    """How late the client itself was (0 in a closed loop, which has no schedule)."""


def predict_bodies(texts: Sequence[str]) -> list[str]:
    """Bodies of `POST /v1/predict`, one text each."""
    return [json.dumps({"input": text}) for text in texts]


def closed_http(target: Target, *, seconds: float) -> HttpLoad:
    """One connection, one request at a time.

    Raises:
        ServeError: the client could not reach the server.
    """
    return _run(target, seconds=seconds, arrivals_s=np.empty(0))


def open_http(target: Target, arrivals_s: Times, *, timeout_s: float = 5.0) -> HttpLoad:
    """Requests by the schedule; those unanswered `timeout_s` after its end count as errors.

    Raises:
        ServeError: the client could not reach the server.
    """
    return _run(target, seconds=float(arrivals_s[-1]), arrivals_s=arrivals_s, timeout_s=timeout_s)


def _run(target: Target, *, seconds: float, arrivals_s: Times, timeout_s: float = 5.0) -> HttpLoad:
    job = {
        "host": target.host,
        "port": target.port,
        "path": target.path,
        "bodies": list(target.bodies),
        "connections": target.connections,
        "warmup": target.warmup,
        "timeout_s": timeout_s,
        "core": target.core,
        "seconds": seconds,
    }
    told = json.dumps(job).encode() + b"\n" + arrivals_s.astype(np.float64).tobytes()
    command = [sys.executable, "-m", "coffey.bench.http_client"]
    limit_s = seconds + timeout_s + _OVERHEAD_S
    try:
        done = subprocess.run(command, input=told, capture_output=True, check=True, timeout=limit_s)
    except subprocess.CalledProcessError as exc:
        tail = exc.stderr[-2000:].decode(errors="replace").strip()
        raise ServeError(f"Load on {target.host}:{target.port}{target.path} failed: {tail}") from exc
    except subprocess.TimeoutExpired as exc:
        raise ServeError(
            f"Load on {target.host}:{target.port}{target.path} did not end in {limit_s:g} s."
        ) from exc
    return _read(target, done.stdout, arrivals_s)


def _read(target: Target, said: bytes, arrivals_s: Times) -> HttpLoad:
    line, _, raw = said.partition(b"\n")
    head = json.loads(line)
    requests = head["requests"]
    times = np.frombuffer(raw, dtype=np.float64, count=requests)
    statuses = np.frombuffer(raw, dtype=np.uint16, count=requests, offset=times.nbytes)
    lags = np.frombuffer(raw[times.nbytes + statuses.nbytes :], dtype=np.float64)
    latency = summarize(
        times,
        subject=target.subject,
        path="http",
        load="open" if len(arrivals_s) else "closed",
        elapsed_s=head["elapsed_s"],
        offered_rps=len(arrivals_s) / float(arrivals_s[-1]) if len(arrivals_s) else None,
        errors=int(np.count_nonzero(statuses != HTTPStatus.OK)),
    )
    lag_ms = percentile(lags, 0.99).value * 1000 if len(lags) else 0.0
    return HttpLoad(latency, times, statuses, lag_ms)
