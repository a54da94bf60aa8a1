"""Loading an artifact for serving: verified, compared with its own examples, and warm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from coffey.artifact.predictor import Predictor
from coffey.artifact.signing import Trust

WARM_TEXTS = ("a", "a few words to warm up with", "word " * 100)
WARM_RUNS = 3


def loader(*, trust: Trust, threads: int = 1, max_batch: int = 32) -> Callable[[Path], Predictor]:
    """A function that loads the artifact in a folder and returns it ready for traffic.

    The function raises ArtifactError (or one below it) when the artifact is not trusted, was changed, cannot
    be run here or does not reproduce its own examples.
    """

    def load(path: Path) -> Predictor:
        predictor = Predictor.load(path, trust=trust, threads=threads)
        predictor.check_examples()
        for _ in range(WARM_RUNS):
            for text in WARM_TEXTS:
                predictor.predict([text])
        predictor.predict([WARM_TEXTS[1]] * max_batch)  # memory for a full batch is taken now
        return predictor

    return load
