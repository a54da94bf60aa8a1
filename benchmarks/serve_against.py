"""The same artifact behind Coffey and behind other servers: median latency of one caller, and throughput.

Each peer is installed into an environment of its own from `serve_peers.txt` (the first run does that), has
one worker and its defaults. A round starts one server after the other, all its processes on one core, the
client on another; ratios are taken within a round, and medians over the rounds are reported.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from recipes.clinc150 import DATA

from benchmarks.environments import Peer, PeerFailed, default_cache, environment, read_peers
from benchmarks.options import at_most, is_missing, make_parser
from benchmarks.serve import CONNECTIONS, build
from coffey.artifact.signing import PUBLIC_KEY, Signer
from coffey.bench.http import Target, closed_http, open_http, predict_bodies
from coffey.bench.machine import describe_machine, usable_cores
from coffey.bench.noise import measure_noise
from coffey.bench.versions import versions
from coffey.core.clock import monotonic
from coffey.dashboard.progress import RichProgress

PEERS = Path(__file__).parent / "serve_peers"
LISTED = Path(__file__).parent / "serve_peers.txt"
OURS = "coffey"
MODEL_SERVERS = ("litserve_api", "bentoml_service", "ray_serve")
"""Peers whose throughput the target speaks of: those that are made for models."""
THROUGHPUT_RATIO = 3.0
"""Ours over the best of theirs."""
START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Found:
    """What one server did in one round."""

    p50_ms: float
    p99_ms: float
    rps: float
    errors: int


def commands(artifact: Path, keys: Path, cache: Path) -> dict[str, list[str]]:
    """How each server is started, but for its port; a peer that cannot be installed is left out and said."""
    key = str(keys / PUBLIC_KEY)
    found = {
        OURS: [sys.executable, "-m", "coffey", "serve", str(artifact), "--no-config", "--public-key", key]
    }
    found[OURS] += ["--log", str(artifact.parent / "log"), "--port"]
    for peer in read_peers(LISTED):
        try:
            python = environment(peer, cache.resolve())
        except PeerFailed as exc:
            print(f"{peer.name} is left out: {exc}", file=sys.stderr)
            continue
        found[peer.name] = ["env", "-u", "PYTHONPATH", str(python), str(script(peer)), str(artifact)]
    return found


def script(peer: Peer) -> Path:
    """Serves an artifact on a port."""
    return PEERS / f"{peer.name}.py"


@contextmanager
def running(command: Sequence[str], port: int, core: int | None) -> Iterator[None]:
    """A server with all its processes, on one core, until the block ends.

    Raises:
        PeerFailed: it answers nothing within `START_SECONDS`.
    """
    pinned = ["taskset", "-c", str(core), *command] if core is not None else [*command]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*pinned, str(port)], stdout=said, stderr=said, start_new_session=True, cwd=PEERS
        )
        try:
            if not answers(port, process):
                said.seek(0)
                raise PeerFailed(said.read().decode(errors="replace")[-2000:])
            yield
        finally:
            end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM for a server and all that it started, and SIGKILL for what does not leave."""
    with contextlib.suppress(ProcessLookupError):  # all of them are gone
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether the server answers a prediction within the time, while it lives."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/predict", b'{"input": "hello"}', {"Content-Type": "application/json"}
    )
    end = monotonic() + START_SECONDS
    while monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            threading.Event().wait(0.1)
    return False


def measure(command: Sequence[str], texts: Sequence[str], seconds: float) -> Found:
    """One caller, then as many requests at once as there are connections."""
    cores = usable_cores()
    server_core, client_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    port = free_port()

    def target(connections: int) -> Target:
        return Target(
            host="127.0.0.1",
            port=port,
            bodies=predict_bodies(texts),
            subject="student",
            core=client_core,
            connections=connections,
        )

    with running(command, port, server_core):
        closed_http(target(1), seconds=0.5)
        alone = closed_http(target(1), seconds=seconds).latency
        burst = np.linspace(1e-3, 2e-3, max(CONNECTIONS, int(alone.rps * seconds)))
        together = open_http(target(CONNECTIONS), burst, timeout_s=60.0).latency
    return Found(alone.p50_ms, alone.p99_ms, together.rps, alone.errors + together.errors)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def report(rounds: Sequence[Mapping[str, Found]]) -> dict[str, object]:
    """Medians, and ratios within each round."""
    names = list(rounds[0])
    medians = {
        name: {
            key: float(np.median([asdict(one[name])[key] for one in rounds]))
            for key in ("p50_ms", "p99_ms", "rps")
        }
        for name in names
    }
    peers = [name for name in names if name != OURS]
    fastest = float(np.median([one[OURS].p50_ms / min(one[name].p50_ms for name in peers) for one in rounds]))
    compared = [name for name in MODEL_SERVERS if name in peers]
    most = float(np.median([one[OURS].rps / max(one[name].rps for name in compared) for one in rounds]))
    errors = sum(one.errors for found in rounds for one in found.values())
    return {
        "targets": {
            "p50_over_best_peer": at_most(fastest, 1.0),
            "best_model_server_rps_over_ours": at_most(1 / most, 1 / THROUGHPUT_RATIO),
            "errors": at_most(errors, 0),
        },
        "median": medians,
        "rounds": [{name: asdict(one) for name, one in found.items()} for found in rounds],
        "connections": CONNECTIONS,
        "noise": asdict(measure_noise()),
        "machine": asdict(describe_machine()),
        "versions": versions(),
    }


def main() -> int:
    """Run, print one JSON object."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where environments are kept")
    options = parser.parse_args()
    if is_missing(options.data):
        return 2
    count, seconds = (3, 2.0) if options.quick else (7, 8.0)
    with tempfile.TemporaryDirectory(prefix="coffey-bench-") as scratch, RichProgress() as progress:
        folder = Path(scratch)
        texts, artifact = build(options.data, folder, Signer.open(folder / "keys"), progress)
        started = commands(artifact, folder / "keys", options.cache)
        progress.start("servers", count * len(started), "servers")
        rounds: list[dict[str, Found]] = []
        for _ in range(count):
            rounds.append({})
            for name, command in started.items():
                rounds[-1][name] = measure(command, texts, seconds)
                progress.advance("servers", 1, f"{name} {rounds[-1][name].p50_ms:.3f} ms")
        progress.finish("servers")
    result = report(rounds)
    print(json.dumps(result))
    targets = result["targets"]
    assert isinstance(targets, dict)
    return 0 if all(target["met"] for target in targets.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
