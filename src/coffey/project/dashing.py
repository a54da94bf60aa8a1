"""`dash`: the dashboard of a project, on a socket of its own until it is stopped."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import uvicorn

from coffey.core.errors import ConfigError, MissingExtra, Problem
from coffey.project.workspace import Workspace
from coffey.serve.keys import ENVIRONMENT, ApiKeys
from coffey.serve.leaving import LeavingServer
from coffey.serve.tls import Tls

WRITE_ENVIRONMENT = "COFFEY_WRITE_KEYS"
"""Digests of write keys, split by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DashOptions:
    """Where the dashboard listens, and who may look and write."""

    host: str = "127.0.0.1"
    port: int = 8081
    write: bool = False
    """Whether a write key is made for this run."""
    api_keys: Path | None = None
    write_keys: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


def run_dashboard(
    space: Workspace, options: DashOptions, *, on_ready: Callable[[str, str | None], None]
) -> None:
    """Answer until SIGINT or SIGTERM; `on_ready` is told the address and the write key of this run.

    Raises:
        ConfigError: keys, certificate or address cannot be used, or would let everybody in.
        MissingExtra: a library of the extra `watch` is not installed.
    """
    try:
        from coffey.dashboard.live.access import Access
        from coffey.dashboard.live.app import build_app
        from coffey.dashboard.live.guard import LOOPBACK
        from coffey.dashboard.page import templates
        from coffey.project.board.board import ProjectBoard
    except ModuleNotFoundError as exc:
        raise MissingExtra("coffey dash", "watch", exc.name or "starlette") from exc
    templates()
    key = secrets.token_urlsafe(24) if options.write else None
    read, write = read_keys(options, key)
    hosts = _hosts(options, read, LOOPBACK)
    tls = Tls.of(options.tls_certificate, options.tls_key, Path())
    app = build_app(ProjectBoard(space), Access(read, write), hosts=hosts)
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=2,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    with _listening(options) as bound:
        name = f"[{options.host}]" if ":" in options.host else options.host
        on_ready(f"{'https' if tls else 'http'}://{name}:{bound.getsockname()[1]}/", key)
        LeavingServer(settings).run(sockets=[bound])


def _listening(options: DashOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family)
    except OSError as exc:
        expected = f"a free address on this machine ({exc.strerror or exc})"
        raise ConfigError("dash", [Problem("--port", f"{options.host}:{options.port}", expected)]) from exc


def read_keys(options: DashOptions, fresh: str | None) -> tuple[ApiKeys, ApiKeys]:
    """Who may look, and who may write: files, environment, and the key of this run.

    Raises:
        ConfigError: a file cannot be read, or an entry is no digest.
    """
    more = [sha256(fresh.encode()).hexdigest()] if fresh else []
    written = ",".join([*filter(None, [os.environ.get(WRITE_ENVIRONMENT, "")]), *more])
    return ApiKeys.read(options.api_keys, os.environ), ApiKeys.read(
        options.write_keys, {ENVIRONMENT: written}
    )


def _hosts(options: DashOptions, read: ApiKeys, loopback: Collection[str]) -> Collection[str] | None:
    """The names to answer to: this machine's alone, where everybody may look."""
    if read.required:
        return None
    if options.host not in loopback:
        expected = f"this machine's own address, or keys for those who look (--api-keys or {ENVIRONMENT})"
        raise ConfigError("dash", [Problem("--host", options.host, expected)])
    return loopback
