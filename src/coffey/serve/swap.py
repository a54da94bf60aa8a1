"""Following the champion: a new model is loaded and checked beside the old one, then takes its place.

The change is one assignment between two batches. A request is answered by one model throughout, so none is
lost or sees two. The old model stays loaded: going back to it takes no loading. A model that cannot be
loaded, or that does not reproduce its artifact's examples, leaves everything as it was and is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
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
        self.models = models
        """Which model answers, and which one before."""
        self._resolve = resolve
        self._load = load
        self._events = events
        self._seconds = seconds
        self._clock = clock
        self._refused: str | None = None
        self._refusals = 0
        self._try_again_at = 0.0
        self._pool = ThreadPoolExecutor(1, "follow")
        self.reloaded: Callable[[], None] = lambda: None
        """Told of every reload that was asked for, so that other workers look as well."""
        self.recent: Callable[[], Sequence[str]] = tuple
        """Texts of recent requests, with which a new model is warmed up."""

    def look(self) -> Model | None:
        """Resolve once, and load what is new; None when nothing is to change. Blocks.

        Raises:
            CoffeyError: the registry cannot be read, or the new model is not to be served.
        """
        digest, path = self._resolve()
        current = self.models.current
        if current is not None and current.digest == digest:
            self._refused = None
            return None
        resident = self.models.resident(digest)
        if resident is not None:
            return resident
        if digest == self._refused and self._clock() < self._try_again_at:
            return None
        try:
            return self._warm(self._checked(self._load(path), digest, path))
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
            self.models.change(model)
            self._events("model_loaded", digest=model.digest)

    async def run(self) -> None:
        """Look, and look again every `seconds`, until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.look_now()

    async def look_now(self) -> None:
        """Look once. What fails is told and counted, and the old model goes on."""
        with contextlib.suppress(Exception):
            await self._follow()

    async def reload(self) -> str:
        """Look now, whatever was refused before; the digest of the model that answers then.

        Raises:
            CoffeyError: the registry cannot be read, the new model is not to be served, or there is none.
        """
        self._refused = None
        await self._follow()
        self.reloaded()
        return self.models.serving().digest

    def close(self) -> None:
        """Look no more; a load in work is left to end by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _follow(self) -> None:
        try:
            model = await asyncio.get_running_loop().run_in_executor(self._pool, self.look)
        except Exception as exc:
            self._failed(exc)
            raise
        self.last_error = None
        if model is not None and model is not self.models.current:
            self._swap(model)

    def _swap(self, model: Model) -> None:
        before = self.models.current
        self.models.change(model)
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

    def _warm(self, model: Model) -> Model:
        """Answer what was asked last, alone and together, so that the first requests find a warm model."""
        texts = list(self.recent())
        for batch in ([text] for text in texts):
            model.probabilities(model.encode(batch))
        if texts:
            model.probabilities(model.encode(texts))
        return model

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
