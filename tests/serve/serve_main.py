"""The process that the tests of serving start: a server whose champion is named by a file."""

from __future__ import annotations

import functools
import json
import sys
import time
from pathlib import Path

from coffey.artifact.signing import Trust
from coffey.core.errors import UnknownVersion
from coffey.core.settings import ServeSettings
from coffey.serve import server
from coffey.serve.keys import ApiKeys
from coffey.serve.loading import loader
from coffey.serve.server import ServeOptions
from coffey.serve.tls import Tls
from coffey.serve.workers import run_workers
from coffey.traffic.layout import segments_folder

HEAVY = ("torch", "transformers", "ray", "scipy", "pyarrow", "duckdb", "grpc", "opentelemetry")


class Stalled:
    """A disk that takes nothing and never returns."""

    size = 0

    def __init__(self, folder: Path) -> None:
        pass

    def append(self, records: object) -> None:
        time.sleep(1e6)


def main() -> int:
    given = json.loads(sys.argv[1])
    alias, slow = Path(given["alias"]), given.get("slow_seconds", 0.0)

    def resolve() -> tuple[str, Path]:
        if not alias.exists():
            raise UnknownVersion("champion", [])
        path = Path(alias.read_text())
        return path.name, path

    load = loader(trust=Trust.of(Path(given["keys"])))

    def load_special(path: Path):
        """A model that takes its time and fails on one word."""
        model = load(path)
        encode = model.encode

        def special(texts):
            time.sleep(slow)
            if "poison" in texts:
                raise RuntimeError("poisoned")
            return encode(texts)

        model.encode = special
        return model

    if given.get("stalled"):
        server.TrafficLog = functools.partial(server.TrafficLog, open_segment=Stalled)
    options = ServeOptions(
        resolve=resolve,
        load=load_special if slow else load,
        settings=ServeSettings(**{"port": 0, "follow_seconds": 0.05, **given.get("settings", {})}),
        log_folder=segments_folder(Path(given["root"])),
        audit_probability=0.25,
        model_name="intents",
        keys=ApiKeys(given.get("api_keys", ())),
        tls=Tls.of(*given.get("tls", (None, None)), Path()),
        **given.get("options", {}),
    )

    def ready(port: int) -> None:
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()

    code = run_workers(options, on_ready=ready)
    loaded = [name for name in HEAVY if name in sys.modules]
    sys.stdout.write(json.dumps({"loaded": loaded}) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
