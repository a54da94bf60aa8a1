"""One project at work: its settings and places, and its parts, each made when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coffey.artifact.signing import Signer, Trust, default_key_folder
from coffey.core.progress import Progress, Silent
from coffey.core.settings import Settings
from coffey.project import wiring
from coffey.registry.protocol import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coffey.teacher.features import FeatureKeeper
    from coffey.teacher.known import KnownAnswers
    from coffey.teacher.protocol import Teacher
    from coffey.teacher.store import LabelStore


@dataclass(frozen=True)
class Workspace:
    """What the commands share. Parts that need an extra are imported on first use."""

    settings: Settings
    folder: Path
    """The folder of `coffey.toml`."""
    key_folder: Path = field(default_factory=default_key_folder)
    """Holds the signing key; outside every store."""
    progress: Progress = field(default_factory=Silent)

    @cached_property
    def store(self) -> Path:
        """The store's folder."""
        return wiring.local_store(self.settings)

    @cached_property
    def registry(self) -> Registry:
        """What is live and why."""
        return wiring.build_registry(self.store)

    @cached_property
    def signer(self) -> Signer:
        """The signing key, made on first use."""
        return wiring.build_signer(self.key_folder)

    @cached_property
    def trust(self) -> Trust:
        """The keys whose artifacts are loaded."""
        return wiring.build_trust(self.key_folder)

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher, loaded on first use."""
        self.progress.say(f"Loading the teacher {self.settings.teacher.source}.")
        return wiring.build_teacher(self.settings, self.folder, self.progress)

    @cached_property
    def labels(self) -> LabelStore:
        """The teacher's answers."""
        return wiring.open_labels(self.store, self.teacher)

    def feature_reader(
        self, *, spent_usd: float = 0.0
    ) -> Callable[[Sequence[str]], npt.NDArray[np.float16]] | None:
        """Reads the teacher's sentence features, once for each text; None where it shows none."""
        return wiring.feature_reader(
            self.settings, self.teacher, self.labels, self.progress, spent_usd=spent_usd
        )

    def feature_keeper(self, count: int, progress: Progress | None = None) -> FeatureKeeper | None:
        """Keeps the features that come with the answers to `count` texts; None where no stage needs them."""
        return wiring.feature_keeper(self.settings, self.teacher, count, progress or self.progress)

    def answer(
        self,
        texts: Sequence[str],
        progress: Progress | None = None,
        *,
        features: FeatureKeeper | None = None,
    ) -> npt.NDArray[np.float32]:
        """The teacher's probabilities [n, labels]; only what was never asked before is asked."""
        told = progress or self.progress
        return wiring.answer(self.settings, self.teacher, self.labels, texts, told, features=features)

    def answer_known(self, texts: Sequence[str], progress: Progress | None = None) -> KnownAnswers:
        """As `answer`, without the texts that the teacher skips."""
        told = progress or self.progress
        return wiring.answer_known(self.settings, self.teacher, self.labels, texts, told)
