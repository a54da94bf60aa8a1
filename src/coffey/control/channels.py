"""Channels of alerts: a signed webhook and a command."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np

from coffey.control.alerts import Alert, NotDelivered
from coffey.core.clock import unix_now

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0
TRY_AGAIN = frozenset({408, 425, 429})
"""Beside 5xx: another try may succeed."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts alerts as JSON, signed as Standard Webhooks (https://www.standardwebhooks.com) say.

    `webhook-signature` is `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`; `webhook-id` is the
    alert's id, however often it is sent. Waits between tries double, with full jitter (Brooker 2015).
    """

    url: str
    secret: bytes
    attempts: int = 4
    timeout_s: float = 10.0
    client: Callable[[], httpx.Client] = httpx.Client
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = unix_now
    random: np.random.Generator = field(default_factory=np.random.default_rng)

    @property
    def name(self) -> str:
        """Its kind: the URL may be a secret, and may change."""
        return "webhook"

    def send(self, alert: Alert) -> None:
        """Post it.

        Raises:
            NotDelivered: no try was answered with 2xx.
        """
        body, refused = alert.body(), ""
        with self.client() as client:
            for attempt in range(self.attempts):
                if attempt:
                    self.sleep(self._wait_s(attempt))
                refused, again = self._try(client, alert.id, body)
                if not refused:
                    return
                if not again:
                    break
        raise NotDelivered("the webhook", refused)

    def _try(self, client: httpx.Client, alert_id: str, body: bytes) -> tuple[str, bool]:
        """Why it failed (empty when it did not), and whether it may be tried again."""
        headers = signed_headers(alert_id, int(self.now()), body, self.secret)
        try:
            answer = client.post(self.url, content=body, headers=headers, timeout=self.timeout_s)
        except httpx.HTTPError as exc:
            return f"{type(exc).__name__}: {exc}".rstrip(": "), True
        except httpx.InvalidURL as exc:
            return f"its URL is invalid ({exc})", False
        if answer.is_success:
            return "", False
        return (
            f"it answered {answer.status_code}",
            answer.status_code >= 500 or answer.status_code in TRY_AGAIN,
        )

    def _wait_s(self, attempt: int) -> float:
        return float(self.random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)))


def signed_headers(alert_id: str, unix_s: int, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of one post."""
    content = b".".join([alert_id.encode(), str(unix_s).encode(), body])
    signature = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": alert_id,
        "webhook-timestamp": str(unix_s),
        "webhook-signature": f"v1,{signature}",
    }


@dataclass(frozen=True, slots=True)
class Command:
    """Runs a program with the alert as JSON on its standard input; no shell is involved."""

    arguments: Sequence[str]
    timeout_s: float = 10.0

    @property
    def name(self) -> str:
        """Its kind."""
        return "command"

    def send(self, alert: Alert) -> None:
        """Run it.

        Raises:
            NotDelivered: it cannot be started, did not end in time, or its exit code is not 0.
        """
        who = f"the command {self.arguments[0]!r}"
        try:
            ended = subprocess.run(
                list(self.arguments),
                input=alert.body(),
                capture_output=True,
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise NotDelivered(who, f"it did not end within {self.timeout_s:g} s") from exc
        except OSError as exc:
            raise NotDelivered(who, exc.strerror or str(exc)) from exc
        if ended.returncode:
            said = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise NotDelivered(who, f"exit code {ended.returncode} {''.join(said)}".strip())
