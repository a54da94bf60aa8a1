"""Following the champion: a new model is loaded and checked beside the old one, then takes its place.

The change is one assignment between two batches. A request is answered by one model throughout, so none is
lost or sees two. The old model stays loaded: going back to it takes no loading. A model that cannot be
loaded, or that does not reproduce its artifact's examples, leaves everything as it was and is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from coffey.core.clock import Clock, monotonic
from coffey.core.errors import ArtifactError, CoffeyError, NotReady
from coffey.serve.events import Events
from coffey.serve.model import Model

Resolve = Callable[[], tuple[str, Path]]
"""Which artifact is to be served now: its digest and its folder. Raises CoffeyError when there is none."""
Load = Callable[[Path], Model]
"""Opens, verifies and warms an artifact. Raises CoffeyError when it is not to be served."""

LONGEST_WAIT_SECONDS = 60.0
"""A model that was refused is tried again after 1, 2, 4, … looks, at most this long after the last try."""


class Models:
    """The model that answers, and the one before it."""

    def __init__(self) -> None:
        self.current: Model | None = None
        self.previous: Model | None = None

    def serving(self) -> Model:
        """The model that answers.

        Raises:
            NotReady: there is none yet.
        """
        if self.current is None:
            raise NotReady("No model is loaded yet. Promote one, or ask again in a moment.")
        return self.current

    def change(self, model: Model) -> None:
        """From now on `model` answers."""
        if model is not self.current:
            self.current, self.previous = model, self.current

    def resident(self, digest: str) -> Model | None:
        """The loaded model with this digest."""
        for model in (self.current, self.previous):
            if model is not None and model.digest == digest:
                return model
        return None


class Follower:
    """Keeps `models.current` at what `resolve` says."""

    def __init__(
        self,
        models: Models,
        *,
        resolve: Resolve,
        load: Load,
        events: Events,
        seconds: float = 1.0,
        clock: Clock = monotonic,
    ) -> None:
        self.swaps = 0
        self.failures = 0
        self.last_error: str | None = None
        self._models = models
        self._resolve = resolve
        self._load = load
        self._events = events
        self._seconds = seconds
        self._clock = clock
        self._refused: str | None = None
        self._refusals = 0
        self._try_again_at = 0.0

    def look(self) -> Model | None:
        """Resolve once, and load what is new; None when nothing is to change. Blocks.

        Raises:
            CoffeyError: the registry cannot be read, or the new model is not to be served.
        """
        digest, path = self._resolve()
        current = self._models.current
        if current is not None and current.digest == digest:
            self._refused = None
            return None
        resident = self._models.resident(digest)
        if resident is not None:
            return resident
        if digest == self._refused and self._clock() < self._try_again_at:
            return None
        try:
            return self._checked(self._load(path), digest, path)
        except Exception:
            self._refuse(digest)
            raise

    def first(self) -> None:
        """Load the first model, before the server listens.

        Raises:
            CoffeyError: there is none, or it is not to be served.
        """
        model = self.look()
        if model is not None:
            self._models.change(model)
            self._events("model_loaded", digest=model.digest)

    async def run(self) -> None:
        """Look, and look again every `seconds`, until cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "follow") as pool:
            while True:
                await asyncio.sleep(self._seconds)
                try:
                    model = await loop.run_in_executor(pool, self.look)
                except Exception as exc:  # noqa: BLE001 - the edge of the task: the old model goes on
                    self._failed(exc)
                    continue
                self.last_error = None
                if model is not None:
                    self._swap(model)

    def _swap(self, model: Model) -> None:
        before = self._models.current
        self._models.change(model)
        self.swaps += 1
        self._events("model_swapped", digest=model.digest, before=before.digest if before else None)

    def _failed(self, exc: Exception) -> None:
        self.failures += 1
        text = str(exc) if isinstance(exc, CoffeyError) else f"{type(exc).__name__}: {exc}"
        if text != self.last_error:  # the same failure every second is one event
            self._events("model_refused", error=text)
        self.last_error = text

    def _refuse(self, digest: str) -> None:
        self._refusals = self._refusals + 1 if digest == self._refused else 1
        self._refused = digest
        wait = min(self._seconds * 2 ** min(self._refusals - 1, 30), LONGEST_WAIT_SECONDS)
        self._try_again_at = self._clock() + wait

    @staticmethod
    def _checked(model: Model, digest: str, path: Path) -> Model:
        if model.digest != digest:
            raise ArtifactError(
                f"{str(path)!r} holds artifact {model.digest[:12]} where {digest[:12]} was expected. "
                "Restore that folder, or register it again."
            )
        return model


def fixed(digest: str, path: Path) -> Resolve:
    """Always the same artifact."""
    return lambda: (digest, path)
