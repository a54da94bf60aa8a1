"""The server around a student: what HTTP adds to one request, and what it leaves of the throughput.

The student is untrained, since speed does not depend on what was learned, and exported the usual way. Server
and in-process runs share one core, the client has another. Every round measures all of it, in turns; what is
compared is compared within a round, and the medians over the rounds are reported. The texts are CLINC150's
questions (looked for in ../shared).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time

import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from recipes.clinc150 import DATA

from benchmarks.options import is_missing, make_parser
from coffey.artifact.manifest import Lineage
from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import PUBLIC_KEY, Signer, Trust
from coffey.bench.closed import closed_times
from coffey.bench.http import Target, closed_http, open_http, predict_bodies
from coffey.bench.inputs import sample_texts
from coffey.bench.machine import describe_machine, usable_cores
from coffey.bench.noise import measure_noise
from coffey.bench.server_process import ServerProcess, serve_command
from coffey.bench.versions import versions
from coffey.core.clock import utc_now
from coffey.core.progress import Progress
from coffey.core.settings import ChainSettings, DataSettings, ProjectSettings, Settings, TeacherSettings
from coffey.dashboard.progress import RichProgress
from coffey.export.package import Holdout, package_student
from coffey.export.single import export_single
from coffey.probe.student import plan_candidates
from coffey.students.encoder import Student
from coffey.students.initialization import initialize_from_scratch
from coffey.traffic.ledger import Ledger, read_ledger

SHAPE = "layers=3,width=192,heads=6,vocabulary=8000"
"""About 2.4M parameters with the words that CLINC150 has."""
SEED = 17
CONNECTIONS = 16
TEXTS = 2000
BATCHES = (1, 4, 8, 32)
"""Texts of an in-process run, out of windows of 32 sorted by length; the best is the maximum that the server
is held against."""
WINDOW = 32
OVERHEAD_MS = 0.15
THROUGHPUT_SHARE = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round found."""

    in_process_p50_ms: float
    http_p50_ms: float
    in_process_cpu_ms: float
    """CPU time of one text, in process, alone."""
    http_cpu_ms: float
    """CPU time of the server for one request, alone: the overhead where other work disturbs the clock."""
    in_process_rps: float
    """Texts a second in process, at the best batch."""
    http_rps: float
    """Requests a second over `CONNECTIONS` connections."""
    in_process_busy_cpu_ms: float
    """CPU time of one text at the best batch."""
    http_busy_cpu_ms: float
    """CPU time of the server for one of those requests."""
    errors: int

    @property
    def overhead_ms(self) -> float:
        """What HTTP adds to the median request."""
        return self.http_p50_ms - self.in_process_p50_ms

    @property
    def throughput_share(self) -> float:
        """What HTTP leaves of the maximum."""
        return self.http_rps / self.in_process_rps

    @property
    def cpu_overhead_ms(self) -> float:
        """CPU time that serving adds to a request, alone."""
        return self.http_cpu_ms - self.in_process_cpu_ms

    @property
    def throughput_share_by_cpu(self) -> float:
        """The same from CPU times: what it would be if both had the core to themselves."""
        return self.in_process_busy_cpu_ms / self.http_busy_cpu_ms


class Bench:
    """One artifact in this process and behind a server, on the same core."""

    def __init__(self, predictor: Predictor, server: ServerProcess, texts: Sequence[str]) -> None:
        self._predictor = predictor
        self._server = server
        self._texts = texts

    def round(self, seconds: float, client_core: int | None) -> tuple[Round, Ledger]:
        """Measure each part for about `seconds`."""
        alone = closed_times(self._predictor.predict, [[text] for text in self._texts], seconds=seconds)
        cpu_ms = self._in_process_cpu_ms(len(alone))
        before, before_cpu_s = self._look()
        single = closed_http(self._target(1, client_core), seconds=seconds).latency
        after, after_cpu_s = self._look()
        batched = [self._batched(size, seconds / len(BATCHES)) for size in BATCHES]
        most = max(rate for rate, _ in batched)
        burst = np.linspace(1e-3, 2e-3, max(CONNECTIONS, int(most * seconds)))
        last, last_cpu_s = self._look()
        busy = open_http(self._target(CONNECTIONS, client_core), burst, timeout_s=60.0).latency
        end, end_cpu_s = self._look()
        found = Round(
            in_process_p50_ms=float(np.median(alone)) * 1000,
            http_p50_ms=single.p50_ms,
            in_process_cpu_ms=cpu_ms,
            http_cpu_ms=1000 * (after_cpu_s - before_cpu_s) / max(1, after.requests - before.requests),
            in_process_rps=most,
            http_rps=busy.rps,
            in_process_busy_cpu_ms=min(cpu_ms for _, cpu_ms in batched),
            http_busy_cpu_ms=1000 * (end_cpu_s - last_cpu_s) / max(1, end.requests - last.requests),
            errors=single.errors + busy.errors,
        )
        return found, after.since(before)

    def _in_process_cpu_ms(self, count: int) -> float:
        start = process_time()
        closed_times(self._predictor.predict, [[text] for text in self._texts], requests=count)
        return 1000 * (process_time() - start) / count

    def _batched(self, size: int, seconds: float) -> tuple[float, float]:
        """Texts a second, and the CPU milliseconds of one, in batches of `size`."""
        whole = len(self._texts) // WINDOW * WINDOW
        windows = [sorted(self._texts[at : at + WINDOW], key=len) for at in range(0, whole, WINDOW)]
        calls = [window[at : at + size] for window in windows for at in range(0, WINDOW, size)]
        start = process_time()
        times = closed_times(self._predictor.predict, calls, seconds=seconds)
        count = size * len(times)
        return count / float(times.sum()), 1000 * (process_time() - start) / count

    def _look(self) -> tuple[Ledger, float]:
        """The server's ledger and CPU seconds so far."""
        url = f"http://{self._server.host}:{self._server.port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        return read_ledger(text), next(s.value for s in samples if s.name == "process_cpu_seconds_total")

    def _target(self, connections: int, core: int | None) -> Target:
        return Target(
            host=self._server.host,
            port=self._server.port,
            bodies=predict_bodies(self._texts),
            subject="student",
            core=core,
            connections=connections,
        )


def build(
    data: Path, folder: Path, signer: Signer, progress: Progress, *, seed: int = SEED
) -> tuple[list[str], Path]:
    """Questions to ask, and the artifact of an untrained student: int8, signed, through the usual export."""
    rows = json.loads(data.read_text())
    known = [text for text, _ in rows["train"]]
    labels = tuple(sorted({intent for _, intent in rows["train"]}))
    settings = Settings(
        project=ProjectSettings(name="serve"),
        teacher=TeacherSettings(kind="python", source="none:none"),
        data=DataSettings(transfer="", holdout=""),
        chain=ChainSettings(stages=(SHAPE,)),
    )
    (candidate,) = plan_candidates(known, labels=labels, tokenizer=None, settings=settings, progress=progress)
    student = Student(candidate.shape)
    initialize_from_scratch(student, seed=seed)
    variants = export_single(
        student.eval(),
        candidate.tokenizer,
        form="int8",
        labels=labels,
        max_length=candidate.shape.max_length,
        folder=folder,
        texts=known[:8],
    )
    packaged = package_student(
        variants,
        name="serve",
        root=folder / "artifacts",
        lineage=Lineage(
            teacher="", teacher_source="", teacher_params=None, label_digest="", created=utc_now()
        ),
        holdout=Holdout(known[:8], variants.runtime().predict(known[:8])),
        signer=signer,
    )
    return sample_texts([text for text, _ in rows["test"]], TEXTS, seed=SEED), packaged.path


def measure(
    artifact: Path, keys: Path, texts: Sequence[str], rounds: int, seconds: float, progress: Progress
) -> tuple[list[Round], list[Ledger]]:
    """All rounds; this process and the server on one core, the client on another where there is one."""
    cores = usable_cores()
    server_core, client_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    if server_core is not None:
        os.sched_setaffinity(0, {server_core})
    predictor = Predictor.load(artifact, trust=Trust.of(files=[keys / PUBLIC_KEY]))
    # The log is on, as in production.
    log, key = str(artifact.parent / "log"), str(keys / PUBLIC_KEY)
    command = [*serve_command(artifact), "--public-key", key, "--log", log]
    found: list[tuple[Round, Ledger]] = []
    progress.start("serve", rounds, "rounds")
    with ServerProcess(command, core=server_core) as server:
        bench = Bench(predictor, server, texts)
        bench.round(min(0.5, seconds), client_core)  # first calls allocate
        for _ in range(rounds):
            found.append(bench.round(seconds, client_core))
            progress.advance("serve", 1, f"overhead {found[-1][0].overhead_ms:.3f} ms")
    progress.finish("serve")
    return [one for one, _ in found], [ledger for _, ledger in found]


def report(rounds: Sequence[Round], ledgers: Sequence[Ledger]) -> dict[str, object]:
    """The object that is printed."""

    def median(values: Sequence[float]) -> float:
        return float(np.median(values))

    overhead = median([one.overhead_ms for one in rounds])
    share = median([one.throughput_share for one in rounds])
    steps = [ledger.mean_us() for ledger in ledgers]
    return {
        "targets": {
            "overhead_ms": {"value": overhead, "bound": OVERHEAD_MS, "met": overhead <= OVERHEAD_MS},
            "throughput_share": {
                "value": share,
                "bound": THROUGHPUT_SHARE,
                "met": share >= THROUGHPUT_SHARE,
            },
            "errors": {
                "value": sum(one.errors for one in rounds),
                "bound": 0,
                "met": not any(one.errors for one in rounds),
            },
        },
        "median": {name: median([getattr(one, name) for one in rounds]) for name in asdict(rounds[0])},
        "by_cpu": {
            "overhead_ms": median([one.cpu_overhead_ms for one in rounds]),
            "throughput_share": median([one.throughput_share_by_cpu for one in rounds]),
        },
        "ledger_us": {step: median([one[step] for one in steps]) for step in steps[0]},
        "rounds": [
            asdict(one) | {"overhead_ms": one.overhead_ms, "throughput_share": one.throughput_share}
            for one in rounds
        ],
        "connections": CONNECTIONS,
        "shape": SHAPE,
        "noise": asdict(measure_noise()),
        "machine": asdict(describe_machine()),
        "versions": versions(),
    }


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    rounds, seconds = (7, 1.5) if options.quick else (15, 4.0)
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch, RichProgress() as progress:
        keys = Path(scratch) / "keys"
        texts, artifact = build(options.data, Path(scratch), Signer.open(keys), progress)
        found, ledgers = measure(artifact, keys, texts, rounds, seconds, progress)
    result = report(found, ledgers)
    print(json.dumps(result))
    targets = result["targets"]
    assert isinstance(targets, dict)
    return 0 if all(target["met"] for target in targets.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
