"""The predictor: a verified artifact, loaded and answering."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coffey.artifact.read import Artifact, open_artifact
from coffey.artifact.runtime import Runtime
from coffey.artifact.signing import Trust
from coffey.core.errors import ArtifactError

TOLERANCE = 0.02
"""Largest difference of a probability allowed between the machine that made an artifact and this one.
Chosen, not measured on pairs of CPUs: room for a rounding step of a dynamic int8 activation, and far below
what a saturating int8 product did where one was seen (a logit moved by 0.19)."""


class Predictor(Runtime):
    """Answers texts with a verified artifact. What it runs are the very bytes that were verified."""

    def __init__(self, artifact: Artifact, *, threads: int = 1, spin: bool = False) -> None:
        """Build the session of an artifact that `open_artifact` returned.

        Raises:
            ArtifactError: ONNX Runtime cannot run its graph.
        """
        super().__init__(
            model=artifact.model,
            tokenizer=artifact.tokenizer,
            labels=artifact.labels,
            max_length=artifact.manifest.max_length,
            threads=threads,
            spin=spin,
            scoring=artifact.manifest.scoring,
        )
        self.path = artifact.path
        self.digest = artifact.digest
        self.manifest = artifact.manifest
        self.bins = artifact.manifest.bins

    @classmethod
    def load(cls, path: Path, *, trust: Trust, threads: int = 1, spin: bool = False) -> Predictor:
        """Verify the artifact in the folder `path` and build its session.

        Raises:
            BadSignature, DigestMismatch, UnknownFormat, StoreUnavailable: as `open_artifact`.
            ArtifactError: ONNX Runtime cannot run its graph.
        """
        return cls(open_artifact(path, trust=trust), threads=threads, spin=spin)

    def check_examples(self, tolerance: float = TOLERANCE) -> float:
        """Answer the manifest's examples again, before traffic is given to this predictor.

        Returns:
            The largest difference of a probability from what the artifact's maker saw (0 without examples).

        Raises:
            ArtifactError: it is over `tolerance`: this machine does not compute what was measured.
        """
        worst = 0.0
        for example in self.manifest.examples:
            found = self.predict([example.text])[0]
            worst = max(worst, float(np.abs(found - np.array(example.probabilities)).max()))
        if not worst <= tolerance:
            raise ArtifactError(
                f"Artifact {self.digest[:12]} answers its own examples differently here: a probability is "
                f"off by {worst:.4f} (at most {tolerance:g} is allowed). Its measured quality does not hold "
                "on this machine; look at the onnxruntime version and the CPU, or export it again here."
            )
        return worst
