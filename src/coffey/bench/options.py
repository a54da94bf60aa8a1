"""How a bench is run."""

from __future__ import annotations

from dataclasses import dataclass

from coffey.bench.subject import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """Times, threads and paths of a bench; about five times `seconds` and the start of two servers in all."""

    latency_p99_ms: float
    """The promise for one request (`budget.latency_p99_ms`)."""
    seconds: float = 10.0
    """Measuring time for each model in process, and for each load."""
    threads: int = 1
    """ONNX Runtime threads in process; a server has the default of `serve.threads`."""
    http: bool = True
    """Whether the student is served and asked over loopback; without, load is offered in process."""
    texts: int = 512
    """How many of the given texts are drawn."""
    trials: int = 12
    """Most rates that are tried."""
    seed: int = 17
    """Draws texts and arrivals."""
    serve_arguments: tuple[str, ...] = ()
    """Added to `coffey serve ARTIFACT --no-config --port 0 --json`, for example `--public-key FILE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherCall:
    """A teacher that cannot be exported: timed in process, as the function it is."""

    call: Call
    """Answers a list of texts."""
    params: int | None = None
    name: str = "teacher"
