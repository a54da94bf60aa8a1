"""Student beside teacher, in one run: in process, through the server, and up to the rate that still holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coffey.artifact.signing import Trust
from coffey.bench.alternate import Rounds
from coffey.bench.inputs import sample_texts
from coffey.bench.load import load_in_process, load_through_server, single_through_server
from coffey.bench.machine import describe_machine
from coffey.bench.noise import measure_noise
from coffey.bench.options import BenchOptions, TeacherCall
from coffey.bench.result import BenchResult, SubjectResult
from coffey.bench.subject import Subject, closed_latency, from_artifact, texts_per_s, time_in_turns
from coffey.bench.versions import versions
from coffey.core.progress import Progress, Silent
from coffey.core.records import Latency

__all__ = ["BenchResult", "bench_artifacts"]

_BATCHED_SHARE = 0.2
"""Of the measuring time, for throughput in batches."""

_TASK = "bench"


def bench_artifacts(
    student: Path,
    teacher: Path | TeacherCall | None,
    texts: Sequence[str],
    *,
    trust: Trust,
    options: BenchOptions,
    progress: Progress | None = None,
) -> BenchResult:
    """Measure an artifact beside its teacher.

    Args:
        student: folder of the artifact.
        teacher: folder of the teacher exported the same way, a function, or None to leave it out.
        texts: what is asked, of real lengths; some of them are drawn by the seed.
        trust: keys whose signature is accepted.
        options: promise, times and threads.
        progress: hears about each part.

    Raises:
        ArtifactError: an artifact cannot be read or trusted.
        NotReady: the server did not start.
        ServeError: the server could not be asked.
        ValueError: there are no texts.
    """
    told = progress or Silent()
    told.start(_TASK, 4, "part")
    drawn = sample_texts(texts, options.texts, seed=options.seed)
    noise = measure_noise()
    small = from_artifact("student", student, trust=trust, threads=options.threads)
    large = _teacher(teacher, trust=trust, threads=options.threads)
    told.advance(_TASK, note="in process, in turns")
    subjects = [small] if large is None else [small, large]
    rounds = time_in_turns(subjects, drawn, seconds=options.seconds)
    told.advance(_TASK, note="under load")
    closed = closed_latency(small.name, rounds[small.name])
    if options.http:
        load = load_through_server(small, drawn, options)
    else:
        load = load_in_process(small, closed, drawn, options)
    told.advance(_TASK, note="teacher through the server")
    served = _served_teacher(large, drawn, options)
    told.advance(_TASK)
    told.finish(_TASK)
    return BenchResult(
        student=_result(small, rounds[small.name], drawn, options, (load.closed,) if options.http else ()),
        teacher=None if large is None else _result(large, rounds[large.name], drawn, options, served),
        latency_p99_ms=options.latency_p99_ms,
        promised=load.closed,
        max_rps_within_slo=load.rate.rps,
        curve=load.rate.curve,
        client_lag_p99_ms=load.client_lag_p99_ms,
        ledger=load.ledger,
        threads=options.threads,
        machine=describe_machine(),
        versions=versions(),
        noise=noise,
    )


def _teacher(teacher: Path | TeacherCall | None, *, trust: Trust, threads: int) -> Subject | None:
    if teacher is None:
        return None
    if isinstance(teacher, TeacherCall):
        return Subject(name=teacher.name, call=teacher.call, params=teacher.params)
    return from_artifact("teacher", teacher, trust=trust, threads=threads)


def _served_teacher(
    teacher: Subject | None, texts: Sequence[str], options: BenchOptions
) -> tuple[Latency, ...]:
    if teacher is None or teacher.artifact is None or not options.http:
        return ()
    return (single_through_server(teacher, texts, options),)


def _result(
    subject: Subject,
    rounds: Rounds,
    texts: Sequence[str],
    options: BenchOptions,
    served: tuple[Latency, ...],
) -> SubjectResult:
    closed = closed_latency(subject.name, rounds)
    return SubjectResult(
        name=subject.name,
        params=subject.params,
        p50_ms=rounds.p50_ms,
        p99_ms=closed.p99_ms,
        spread=rounds.spread,
        texts_per_s=texts_per_s(subject.call, texts, seconds=_BATCHED_SHARE * options.seconds),
        latencies=(closed, *served),
    )
