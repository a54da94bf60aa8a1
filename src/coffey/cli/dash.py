"""`coffey dash`: the live dashboard."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config


def dash(  # noqa: PLR0913 - a parameter an option
    config: Config = DEFAULT_CONFIG,
    as_json: AsJson = False,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine's need keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8081,
    write: Annotated[
        bool, typer.Option("--write", help="Make a write key for this run and print it: promote, roll back.")
    ] = False,
    api_keys: Annotated[
        Path | None, typer.Option(help="File with SHA-256 digests of the keys that may look.")
    ] = None,
    write_keys: Annotated[
        Path | None, typer.Option(help="File with digests of the keys that may promote and roll back too.")
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Certificate with its chain (PEM), for HTTPS.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
) -> None:
    """Show money, chain, latency, contract and models live, until Ctrl-C; read-only without a write key."""
    from coffey.project.dashing import DashOptions, run_dashboard
    from coffey.project.project import Project

    options = DashOptions(
        host=host,
        port=port,
        write=write,
        api_keys=api_keys,
        write_keys=write_keys,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
    )
    space = Project.load(config).workspace
    run_dashboard(space, options, on_ready=lambda url, key: _say(url, key, as_json))


def _say(url: str, key: str | None, as_json: bool) -> None:
    if as_json:
        said = {"url": url, "pid": os.getpid(), "write_key": key}
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        may = "read-only (--write for more)" if key is None else f"write key of this run: {key}"
        sys.stdout.write(f"Dashboard at {url}, {may}. Ctrl-C stops.\n")
    sys.stdout.flush()
