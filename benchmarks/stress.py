"""What a server does when things go wrong: overload, a failing log, hostile clients, dead workers, time.

Every scene has a server of its own with an untrained student (see `benchmarks.serve`), and is compared with
calm rounds of the same run. A disk is full where the server's process may write no file (`RLIMIT_FSIZE`); one
that stalls is `benchmarks.stalled`. `--minutes` is the length of the soak.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from recipes.clinc150 import DATA

from benchmarks.hostile import crowd
from benchmarks.options import at_most, is_missing, make_parser
from benchmarks.processes import children, clients
from benchmarks.serve import SEED, build
from coffey.artifact.signing import PUBLIC_KEY, Signer
from coffey.bench.arrivals import poisson_arrivals
from coffey.bench.http import HttpLoad, Target, closed_http, open_http, predict_bodies
from coffey.bench.machine import describe_machine, usable_cores
from coffey.bench.noise import measure_noise
from coffey.bench.server_process import ServerProcess, serve_command
from coffey.bench.versions import versions
from coffey.core.clock import monotonic
from coffey.dashboard.progress import RichProgress
from coffey.stats.percentiles import percentile

P99_MS = 50.0
"""The promise that accepted requests are held to in overload: the default of `budget.latency_p99_ms`."""
QUEUE_MS = 20.0
"""`serve.max_queue_ms` of that scene: a part of the promise."""
OVERLOAD, CALM, SOAK = 3.0, 0.5, 0.5
"""Load as a share of the capacity."""
CONNECTIONS = 400
RECOVERY_S, RESTART_S = 1.0, 30.0
P99_RATIO = 1.2
GROWTH = 1.05
"""Resident memory at the end of the soak over that at its beginning."""
CONFIG = """\
[project]
name = "stress"
[teacher]
kind = "python"
source = "none:none"
[data]
transfer = "none.jsonl"
holdout = "never.jsonl"
[serve]
max_queue_ms = {queue_ms}
"""
Targets = dict[str, dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the scenes play."""

    folder: Path
    artifact: Path
    texts: Sequence[str]
    seconds: float
    rng: np.random.Generator

    def command(self, *more: str) -> list[str]:
        """Serve, with the log on."""
        key, log = self.folder / "keys" / PUBLIC_KEY, self.folder / "log"
        return [*serve_command(self.artifact), "--public-key", str(key), "--log", str(log), *more]

    @contextmanager
    def server(self, command: Sequence[str]) -> Iterator[Loaded]:
        """A server on a core of its own."""
        with ServerProcess(command, core=usable_cores()[0]) as process:
            yield Loaded(process, self)


class Loaded:
    """A server, and the load on it."""

    def __init__(self, process: ServerProcess, stage: Stage) -> None:
        self.process = process
        self._stage = stage
        cores = usable_cores()
        self._core = cores[1] if len(cores) > 1 else None
        closed_http(self._target(1), seconds=0.5)
        burst = open_http(self._target(16), np.linspace(1e-3, 2e-3, 2000), timeout_s=60.0).latency
        self.capacity_rps = burst.rps

    def load(self, share: float, seconds: float, *, connections: int = 32) -> HttpLoad:
        """Poisson arrivals at a share of the capacity."""
        arrivals = poisson_arrivals(share * self.capacity_rps, seconds, self._stage.rng)
        return open_http(self._target(connections), arrivals, timeout_s=30.0)

    def metric(self, name: str) -> float:
        """One figure of `/metrics`."""
        url = f"http://{self.process.host}:{self.process.port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        return next(sample.value for one in families for sample in one.samples if sample.name == name)

    def _target(self, connections: int) -> Target:
        return Target(
            host=self.process.host,
            port=self.process.port,
            bodies=predict_bodies(self._stage.texts),
            subject="student",
            core=self._core,
            connections=connections,
        )


def overload(stage: Stage) -> Targets:
    """Three times what can be answered: those accepted are answered in time, the others refused at once."""
    config = stage.folder / "coffey.toml"
    config.write_text(CONFIG.format(queue_ms=QUEUE_MS))
    command = [one for one in stage.command("--config", str(config)) if one != "--no-config"]
    with stage.server(command) as server:
        before = server.process.resident_bytes()
        found = server.load(OVERLOAD, stage.seconds, connections=CONNECTIONS)
        start = monotonic()
        while server.metric("coffey_queue_inputs") and monotonic() < start + 10 * RECOVERY_S:
            threading.Event().wait(0.01)
        recovery = monotonic() - start
        after, calm = server.process.resident_bytes(), server.load(CALM, 2.0)
        accepted, refused = (found.times_s[found.statuses == status] for status in (200, 429))
        others = len(found.times_s) - len(accepted) - len(refused)
        return {
            "overload_accepted_p99_ms": at_most(1000 * percentile(accepted, 0.99).value, P99_MS),
            "overload_refused_p99_ms": at_most(1000 * percentile(refused, 0.99).value, P99_MS),
            "overload_other_statuses": at_most(others, 0),
            "overload_recovery_s": at_most(recovery, RECOVERY_S),
            "overload_errors_after": at_most(calm.latency.errors, 0),
            "overload_memory_ratio": at_most((after or 0) / (before or 1), 1.5),
            "overload_goodput_share": shown(len(accepted) / stage.seconds / server.capacity_rps),
            "overload_refused_share": shown(len(refused) / len(found.times_s)),
        }


def log_fails(stage: Stage) -> Targets:
    """A disk that stalls, then one that is full: no request notices, and every record is accounted for."""
    flag = stage.folder / "stalled"
    command = stage.command()
    with stage.server([sys.executable, "-m", "benchmarks.stalled", str(flag), *command[3:]]) as server:
        rounds: dict[str, list[HttpLoad]] = {"calm": [], "stalled": [], "full": []}
        for _ in range(3):
            rounds["calm"].append(server.load(CALM, stage.seconds / 3))
            with stalled(flag):
                rounds["stalled"].append(server.load(CALM, stage.seconds / 3))
            with full(server.process.pid):
                rounds["full"].append(server.load(CALM, stage.seconds / 3))
        start = monotonic()
        while server.metric("coffey_traffic_pending") and monotonic() < start + 20:
            threading.Event().wait(0.05)
        counts = {
            name: server.metric(f"coffey_traffic_{name}_total")
            for name in ("served", "logged", "dropped", "write_failures")
        }
        calm = np.median([one.latency.p99_ms for one in rounds["calm"]])
        ratios = {
            f"log_{name}_p99_ratio": at_most(
                float(np.median([one.latency.p99_ms for one in rounds[name]]) / calm), P99_RATIO
            )
            for name in ("stalled", "full")
        }
        errors = sum(one.latency.errors for found in rounds.values() for one in found)
        lost = counts["served"] - counts["logged"] - counts["dropped"]
        return {
            **ratios,
            "log_errors": at_most(errors, 0),
            "log_records_unaccounted": at_most(abs(lost), 0),
            "log_records": shown(counts["served"]),
            "log_records_dropped": shown(counts["dropped"]),
            "log_write_failures": shown(counts["write_failures"]),
        }


def hostile(stage: Stage) -> Targets:
    """Clients of every bad kind beside honest ones, whose requests do not fail."""
    with stage.server(stage.command()) as server:
        calm = server.load(CALM, stage.seconds)
        with crowd(server.process.port, each=4) as crowds:
            beside = server.load(CALM, max(stage.seconds, 12.0))
        after = server.load(CALM, stage.seconds)
        return {
            "hostile_errors_of_others": at_most(beside.latency.errors + after.latency.errors, 0),
            "hostile_wrong_answers": at_most(sum(one.wrong for one in crowds.values()), 0),
            "hostile_connections": shown(sum(one.asked for one in crowds.values())),
            "hostile_p99_ratio": shown(beside.latency.p99_ms / calm.latency.p99_ms),
            "hostile_p99_ratio_after": shown(after.latency.p99_ms / calm.latency.p99_ms),
        } | {f"hostile_wrong_{name}": shown(one.wrong) for name, one in crowds.items() if one.wrong}


def soak(stage: Stage, minutes: float) -> Targets:
    """Half of the capacity for a while: nothing fails and nothing grows."""
    with stage.server(stage.command()) as server:
        server.load(SOAK, 5.0)
        before = server.process.resident_bytes() or 1
        found = server.load(SOAK, 60 * minutes)
        after = server.process.resident_bytes() or 0
        return {
            "soak_errors": at_most(found.latency.errors, 0),
            "soak_memory_ratio": at_most(after / before, GROWTH),
            "soak_requests": shown(len(found.times_s)),
            "soak_p99_ms": shown(found.latency.p99_ms),
        }


def worker_dies(stage: Stage) -> Targets:
    """`kill -9` of one of two workers: its clients lose what they wait for, and nobody else notices."""
    with stage.server(stage.command("--workers", "2")) as server:
        found: dict[str, float] = {}

        killing = threading.Timer(stage.seconds / 2, lambda: found.update(kill_worker(server.process.pid)))
        killing.start()
        beside = server.load(CALM, stage.seconds)
        killing.join()
        after = server.load(CALM, stage.seconds)
        return {
            "killed_worker_lost_over_its_clients": at_most(beside.latency.errors / found["clients"], 1.0),
            "killed_worker_errors_after": at_most(after.latency.errors, 0),
            "killed_worker_clients": shown(found["clients"]),
            "killed_worker_lost": shown(beside.latency.errors),
            "killed_worker_requests": shown(len(beside.times_s)),
            "killed_worker_back_s": shown(found["back_s"]),
        }


def kill_worker(supervisor: int) -> dict[str, float]:
    """Kill the worker with the most clients; how many it had, and seconds until its successor has some."""
    victim = max(children(supervisor), key=clients)
    held = clients(victim)
    os.kill(victim, signal.SIGKILL)
    start = monotonic()
    while monotonic() < start + RESTART_S:
        threading.Event().wait(0.02)
        alive = [pid for pid in children(supervisor) if pid != victim]
        if len(alive) > 1 and all(map(clients, alive)):
            break
    return {"clients": held, "back_s": monotonic() - start}


@contextmanager
def stalled(flag: Path) -> Iterator[None]:
    """The disk takes nothing while the block runs."""
    flag.touch()
    try:
        yield
    finally:
        flag.unlink()


@contextmanager
def full(pid: int) -> Iterator[None]:
    """Every write of the process to a file fails while the block runs."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def shown(value: float) -> dict[str, object]:
    """A figure without a bound."""
    return {"value": value}


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--minutes", type=float, default=0.5)
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    scenes: dict[str, Callable[[Stage], Targets]] = {
        "overload": overload,
        "log": log_fails,
        "hostile": hostile,
        "killed": worker_dies,
        "soak": lambda stage: soak(stage, options.minutes),
    }
    found: Targets = {}
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch, RichProgress() as progress:
        folder = Path(scratch)
        texts, artifact = build(options.data, folder, Signer.open(folder / "keys"), progress)
        stage = Stage(
            folder=folder,
            artifact=artifact,
            texts=texts,
            seconds=6.0 if options.quick else 60.0,
            rng=np.random.default_rng(SEED),
        )
        progress.start("stress", len(scenes), "scenes")
        for name, scene in scenes.items():
            found |= scene(stage)
            progress.advance("stress", 1, name)
        progress.finish("stress")
    result = {
        "targets": {name: one for name, one in found.items() if "bound" in one},
        "figures": {name: one["value"] for name, one in found.items() if "bound" not in one},
        "seconds": stage.seconds,
        "noise": asdict(measure_noise()),
        "machine": asdict(describe_machine()),
        "versions": versions(),
    }
    print(json.dumps(result))
    return 0 if all(target["met"] for target in found.values() if "bound" in target) else 1


if __name__ == "__main__":
    sys.exit(main())
