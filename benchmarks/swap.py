"""Swaps and rollbacks under load: failed requests, what p99 pays for them, how long a rollback takes.

Two untrained students take each other's place in a real registry, which a real server follows. Half of the
rounds have no swaps: their p99 is what the others' is compared with. Data as in `benchmarks.serve`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
from recipes.clinc150 import DATA

from benchmarks.options import is_missing, make_parser
from benchmarks.serve import SEED, build
from coffey.artifact.signing import PUBLIC_KEY, Signer
from coffey.bench.arrivals import poisson_arrivals
from coffey.bench.http import Target, closed_http, open_http, predict_bodies
from coffey.bench.machine import describe_machine, usable_cores
from coffey.bench.noise import measure_noise
from coffey.bench.server_process import ServerProcess
from coffey.bench.versions import versions
from coffey.core.clock import monotonic
from coffey.core.progress import Progress
from coffey.core.records import Latency
from coffey.dashboard.progress import RichProgress
from coffey.project.wiring import build_registry
from coffey.registry.protocol import Registry
from coffey.registry.version import Version

ROLLBACK_MS = 100.0
P99_RATIO = 1.2
LOAD_SHARE = 0.7
"""Of what one connection alone gets answered: the load of the issue that asked for this benchmark."""
CONFIG = """\
[project]
name = "swap"
store = "store"
[teacher]
kind = "python"
source = "none:none"
[data]
transfer = "none.jsonl"
holdout = "never.jsonl"
"""


class Swapping:
    """A server that follows a registry with two versions."""

    def __init__(self, registry: Registry, server: ServerProcess, texts: Sequence[str]) -> None:
        self._registry = registry
        self._url = f"http://{server.host}:{server.port}/admin/reload"
        cores = usable_cores()
        self._target = Target(
            host=server.host,
            port=server.port,
            bodies=predict_bodies(texts),
            subject="student",
            core=cores[1] if len(cores) > 1 else None,
        )
        self.rollback_ms: list[float] = []
        self.rate = LOAD_SHARE * closed_http(self._target, seconds=2.0).latency.rps

    def round(self, seconds: float, swaps: int, rng: np.random.Generator) -> Latency:
        """Load for `seconds`, with so many changes of the model in it."""
        arrivals = poisson_arrivals(self.rate, seconds, rng)
        with ThreadPoolExecutor(1) as pool:
            load = pool.submit(open_http, self._target, arrivals, timeout_s=30.0)
            for _ in range(swaps):
                threading.Event().wait(seconds / (swaps + 1))
                self._roll_back()
            return load.result().latency

    def _roll_back(self) -> None:
        """Back to the previous version; timed from the decision to the server that says it answers."""
        start = monotonic()
        self._registry.rollback(who="benchmark", reason="measured")
        with urllib.request.urlopen(urllib.request.Request(self._url, method="POST"), timeout=30) as answer:
            served = json.loads(answer.read())["model"]
        self.rollback_ms.append(1000 * (monotonic() - start))
        expected = self._registry.resolve("champion").digest
        if served != expected:
            raise RuntimeError(f"the server answers with {served[:12]} where {expected[:12]} was expected")


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    rounds, seconds, swaps = (3, 5.0, 7) if options.quick else (6, 20.0, 17)
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch, RichProgress() as progress:
        result = measure(Path(scratch), options.data, rounds, seconds, swaps, progress)
    print(json.dumps(result))
    return 0 if result["met"] else 1


def measure(
    folder: Path, data: Path, rounds: int, seconds: float, swaps: int, progress: Progress
) -> dict[str, object]:
    """All rounds, with and without swaps in turns."""
    signer, store = Signer.open(folder / "keys"), folder / "store"
    (folder / "coffey.toml").write_text(CONFIG)
    registry = build_registry(store)
    for seed in (SEED, SEED + 1):
        texts, artifact = build(data, store, signer, progress, seed=seed)
        name = f"swap-{seed}"
        registry.add(Version(name, artifact.name, str(artifact.relative_to(store))), who="benchmark")
        registry.promote(name, evidence={}, who="benchmark")
    command = [sys.executable, "-m", "coffey", "serve", "--config", str(folder / "coffey.toml")]
    command += ["--port", "0", "--json", "--public-key", str(folder / "keys" / PUBLIC_KEY)]
    rng = np.random.default_rng(SEED)
    with ServerProcess(command, core=usable_cores()[0]) as server:
        swapping = Swapping(registry, server, texts)
        swapping.round(2.0, 2, rng)  # both versions are in memory from now on
        swapping.rollback_ms.clear()
        quiet, busy = [], []
        progress.start("swap", rounds, "rounds")
        for _ in range(rounds):
            quiet.append(swapping.round(seconds, 0, rng))
            busy.append(swapping.round(seconds, swaps, rng))
            progress.advance("swap")
        progress.finish("swap")
    return report(quiet, busy, swapping)


def report(quiet: Sequence[Latency], busy: Sequence[Latency], swapping: Swapping) -> dict[str, object]:
    """The object that is printed."""
    failed = sum(one.errors for one in (*quiet, *busy))
    ratio = float(np.median([one.p99_ms for one in busy]) / np.median([one.p99_ms for one in quiet]))
    rollback = float(np.median(swapping.rollback_ms))
    targets = {
        "failed_requests": {"value": failed, "bound": 0, "met": failed == 0},
        "p99_ratio": {"value": ratio, "bound": P99_RATIO, "met": ratio <= P99_RATIO},
        "rollback_ms": {"value": rollback, "bound": ROLLBACK_MS, "met": rollback <= ROLLBACK_MS},
    }
    return {
        "targets": targets,
        "met": all(target["met"] for target in targets.values()),
        "rollbacks": len(swapping.rollback_ms),
        "longest_rollback_ms": max(swapping.rollback_ms),
        "requests": sum(one.requests for one in (*quiet, *busy)),
        "rate": swapping.rate,
        "p99_ms": {"quiet": [one.p99_ms for one in quiet], "swapping": [one.p99_ms for one in busy]},
        "noise": asdict(measure_noise()),
        "machine": asdict(describe_machine()),
        "versions": versions(),
    }


if __name__ == "__main__":
    sys.exit(main())
