"""Who is told what the loop decided, from `[alerts]` and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable

from coffey.control.alerts import Channel, announce
from coffey.control.journal import ControlJournal
from coffey.control.tick import TickReport
from coffey.core.clock import unix_now
from coffey.core.errors import ConfigError, Problem, StoreError
from coffey.core.progress import Progress
from coffey.core.records import DecisionKind
from coffey.core.settings import Settings
from coffey.project.workspace import Workspace

SECRET_VARIABLE = "COFFEY_WEBHOOK_SECRET"
URL_VARIABLE = "COFFEY_WEBHOOK_URL"
KINDS = frozenset({kind.value for kind in DecisionKind} | {"failed"})


def build_announcer(settings: Settings, journal: ControlJournal) -> Callable[[Progress], None]:
    """What tells people of new decisions.

    Raises:
        ConfigError: a decision is unknown, or there is a webhook and no secret to sign with.
    """
    channels = build_channels(settings)

    def tell(progress: Progress) -> None:
        try:
            announce(
                journal,
                channels,
                on=settings.alerts.on,
                project=settings.project.name,
                now_unix_s=unix_now(),
                progress=progress,
            )
        except StoreError as exc:
            progress.say(f"Alerts were not sent: {exc}")

    return tell if channels else lambda progress: None


def build_channels(settings: Settings) -> list[Channel]:
    """The channels that are configured."""
    alerts = settings.alerts
    unknown = [kind for kind in alerts.on if kind not in KINDS]
    if unknown:
        expected = f"only names of decisions ({', '.join(sorted(KINDS))})"
        raise ConfigError("coffey.toml", [Problem("alerts.on", list(alerts.on), expected)])
    url = os.environ.get(URL_VARIABLE) or alerts.webhook
    channels: list[Channel] = []
    if url:
        channels.append(_webhook(settings, url))
    if alerts.command:
        from coffey.control.channels import Command

        channels.append(Command(alerts.command, alerts.timeout_seconds))
    return channels


def _webhook(settings: Settings, url: str) -> Channel:
    from coffey.control.channels import Webhook

    secret = os.environ.get(SECRET_VARIABLE, "").encode()
    if not secret:
        expected = f"a secret in the environment variable {SECRET_VARIABLE}, which alerts are signed with"
        raise ConfigError("coffey.toml", [Problem("alerts.webhook", settings.alerts.webhook, expected)])
    alerts = settings.alerts
    return Webhook(url, secret, attempts=alerts.attempts, timeout_s=alerts.timeout_seconds)


def keep_gauges(space: Workspace, report: TickReport) -> None:
    """Write the gauges of a tick where `alerts.textfile` says; a relative path is in the project's folder.

    Raises:
        StoreUnavailable: the file cannot be written.
    """
    if space.settings.alerts.textfile:
        from coffey.control.gauges import write_gauges

        path = space.folder / space.settings.alerts.textfile
        write_gauges(path, report, project=space.settings.project.name, now_unix_s=unix_now())
