"""`coffey serve`: answer requests; needs neither torch nor the teacher."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config


def serve(  # noqa: PLR0913 - a parameter an option
    artifact: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of one artifact; without it the project's champion is served and followed."
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=255, help="Processes that answer, each on cores of its own.")
    ] = None,
    public_key: Annotated[
        list[Path] | None, typer.Option(help="Public key (PEM) to trust, besides those of $COFFEY_HOME.")
    ] = None,
    api_keys: Annotated[
        Path | None,
        typer.Option(
            help="File with SHA-256 digests of API keys, one a line; $COFFEY_API_KEYS may hold more, split "
            "by commas. With any, who sends no such key gets 401."
        ),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="With ARTIFACT: store folder that gets the traffic log.")
    ] = None,
) -> None:
    """Serve the champion (or one artifact) until SIGTERM, then drain and leave with code 0."""
    from coffey.core.settings import ServeSettings
    from coffey.project.configuration import load_settings
    from coffey.project.serving import serve_artifact, serve_champion, with_address
    from coffey.serve.keys import ApiKeys
    from coffey.serve.workers import run_workers

    keys = tuple(public_key or ())
    known = ApiKeys.read(api_keys, os.environ)
    if artifact is not None:
        options = serve_artifact(
            artifact,
            settings=with_address(ServeSettings(), host, port, workers),
            keys=keys,
            log=log,
            api_keys=known,
        )
    else:
        settings = load_settings(config.resolve())
        options = serve_champion(
            settings,
            host=host,
            port=port,
            workers=workers,
            keys=keys,
            api_keys=known,
            folder=config.resolve().parent,
        )
    address = options.settings.host
    raise typer.Exit(run_workers(options, on_ready=lambda bound: _say(address, bound, as_json)))


def _say(host: str, port: int, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"host": host, "port": port, "pid": os.getpid()}) + "\n")
    else:
        sys.stdout.write(
            f"Listening on http://{host}:{port} (POST /v1/predict, GET /metrics, GET /openapi.json)\n"
        )
    sys.stdout.flush()
