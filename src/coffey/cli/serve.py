"""`coffey serve`: answer requests; needs neither torch nor the teacher."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config


def serve(  # noqa: PLR0913 - a parameter an option
    artifact: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of one artifact, with the [serve] and [privacy] of coffey.toml where there is one; "
            "without it the project's champion is served and followed."
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    grpc_port: Annotated[
        int | None, typer.Option(help="Port for gRPC as well (extra grpc); 0 takes a free one.")
    ] = None,
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
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Certificate and its chain (PEM), for HTTPS; read anew on SIGHUP.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    log: Annotated[
        Path | None, typer.Option(help="With ARTIFACT: store folder that gets the traffic log.")
    ] = None,
    no_config: Annotated[
        bool,
        typer.Option("--no-config", help="With ARTIFACT: leave coffey.toml aside, even where there is one."),
    ] = False,
) -> None:
    """Serve the champion (or one artifact) until SIGTERM, then drain and leave with code 0."""
    from coffey.core.settings import ServeSettings
    from coffey.project.configuration import load_settings
    from coffey.project.serving import Overrides, serve_artifact, serve_champion
    from coffey.serve.keys import ApiKeys
    from coffey.serve.workers import run_workers

    keys = tuple(public_key or ())
    known = ApiKeys.read(api_keys, os.environ)
    certificate, key = (None if path is None else str(path.resolve()) for path in (tls_certificate, tls_key))
    said = Overrides(
        host=host,
        port=port,
        grpc_port=grpc_port,
        workers=workers,
        tls_certificate=certificate,
        tls_key=key,
    )
    folder = config.resolve().parent
    if artifact is None:
        settings = load_settings(config.resolve())
        champion = replace(settings, serve=said.over(settings.serve))
        options = serve_champion(champion, keys=keys, api_keys=known, folder=folder)
    else:
        is_asked = config != DEFAULT_CONFIG or config.exists()
        project = load_settings(config.resolve()) if is_asked and not no_config else None
        options = serve_artifact(
            artifact,
            settings=said.over(project.serve if project else ServeSettings()),
            project=project,
            keys=keys,
            log=log,
            api_keys=known,
            folder=folder,
        )
    host, scheme = options.settings.host, "https" if options.tls else "http"
    raise typer.Exit(run_workers(options, on_ready=lambda bound: _say(scheme, host, bound, as_json)))


def _say(scheme: str, host: str, port: int, as_json: bool) -> None:
    if as_json:
        said = {"host": host, "port": port, "scheme": scheme, "pid": os.getpid()}
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        sys.stdout.write(
            f"Listening on {scheme}://{host}:{port} (POST /v1/predict, GET /metrics, GET /openapi.json)\n"
        )
    sys.stdout.flush()
