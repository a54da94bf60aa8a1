"""A candidate behind the real server: signed with a fresh key, served, asked, brought to its limit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coffey.artifact.manifest import Lineage
from coffey.artifact.signing import PUBLIC_KEY, Signer
from coffey.bench.load import load_through_server
from coffey.bench.options import BenchOptions
from coffey.bench.subject import Subject
from coffey.core.clock import utc_now
from coffey.economics.probe_result import ServedProbe
from coffey.export.export import Variants
from coffey.export.package import Holdout, package_student
from coffey.probe.options import ProbeOptions

_EXAMPLES = 8
"""Texts whose answers the server checks before it is ready."""


def probe_served(
    variants: Variants, texts: Sequence[str], *, latency_p99_ms: float, options: ProbeOptions, folder: Path
) -> ServedProbe:
    """Latency through `coffey serve`, the highest rate within the promise, and the server's memory.

    Args:
        variants: the candidate's export.
        texts: what is asked.
        latency_p99_ms: the promise.
        options: seconds, trials and threads.
        folder: scratch, for the artifact and the key that signs it.

    Raises:
        NotReady: the server did not start.
        ServeError: the server could not be asked.
    """
    keys = folder / "keys"
    runtime = variants.runtime(threads=options.threads)
    artifact = _package(variants, texts[:_EXAMPLES], Signer.open(keys), folder)
    load = load_through_server(
        Subject(name="candidate", call=runtime.predict, artifact=artifact),
        texts,
        BenchOptions(
            latency_p99_ms=latency_p99_ms,
            seconds=options.load_seconds,
            threads=options.threads,
            trials=options.trials,
            seed=options.seed,
            serve_arguments=("--public-key", str(keys / PUBLIC_KEY)),
        ),
    )
    return ServedProbe(
        p50_ms=load.closed.p50_ms,
        p99_ms=load.closed.p99_ms,
        latency_p99_ms=latency_p99_ms,
        max_rps=load.rate.rps,
        resident_bytes=load.resident_bytes,
    )


def _package(variants: Variants, texts: Sequence[str], signer: Signer, folder: Path) -> Path:
    """The artifact of an untrained student: what it is measured against is itself."""
    answers = variants.runtime().predict(texts)
    packaged = package_student(
        variants,
        name="candidate",
        root=folder / "artifacts",
        lineage=Lineage(
            teacher="", teacher_source="", teacher_params=None, label_digest="", created=utc_now()
        ),
        holdout=Holdout(texts, answers),
        signer=signer,
    )
    return packaged.path
