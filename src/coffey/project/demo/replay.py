"""Sending the demo's traffic to a running server, as an application would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from coffey.core.clock import monotonic
from coffey.core.progress import Progress

CONNECTIONS = 2
TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came back."""

    sent: int
    failed: int
    seconds: float
    models: dict[str, int]
    """Answers by the digest of the model that gave them."""


def replay(url: str, texts: Sequence[str], *, task: str, progress: Progress) -> Replayed:
    """POST each text to `url`/v1/predict over a few connections; every answer counts, none is tried again."""
    progress.start(task, len(texts), "requests")
    began = monotonic()
    models: dict[str, int] = {}
    failed = 0
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for model in pool.map(lambda text: _ask(url, text), texts):
            if model is None:
                failed += 1
            else:
                models[model] = models.get(model, 0) + 1
            progress.advance(task)
    progress.finish(task, f"{failed} failed")
    return Replayed(len(texts), failed, monotonic() - began, models)


def _ask(url: str, text: str) -> str | None:
    """The digest of the model that answered; None when the request failed."""
    request = urllib.request.Request(
        f"{url}/v1/predict",
        data=json.dumps({"input": text}).encode(),
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return str(json.load(answer)["model"])
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return None
