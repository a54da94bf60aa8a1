"""What a chain is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from torch import nn

from coffey.core.settings import ChainSettings
from coffey.distill.loss import NO_LABEL
from coffey.stats.scoring import ONE_LABEL, Scoring
from coffey.students.family import Shape

FLOPS_A_PARAMETER = 6
"""Of training, for each token and each parameter outside the embeddings (Kaplan et al. 2020, section 2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRequest:
    """A transfer set with the teacher's answers, and the students to make of them."""

    texts: Sequence[str]
    keys: Sequence[str]
    """`core.ids.input_key` of each text."""
    teacher: np.ndarray
    """float32 [texts, labels], the teacher's probabilities."""
    hard: np.ndarray | None
    """int [texts], -1 where the label is not known; None when no label is. Of a multi-label task sets [texts,
    labels], see `stats.scoring.Answers`."""
    validation: np.ndarray
    """bool [texts]: never trained on, chooses the best weights."""
    labels: tuple[str, ...]
    stages: tuple[Shape | str, ...]
    settings: ChainSettings
    folder: Path
    """Local folder of this run, `stages/<run id>`."""
    tokenizer: Tokenizer | None = None
    """The teacher's."""
    encoder: nn.Module | None = None
    """The teacher's body, for first weights."""
    features: Callable[[Sequence[str]], np.ndarray] | None = None
    """The teacher's sentence features of texts, float16 [texts, width]; None where it shows none."""
    start: Path | None = None
    """Folder of a student to train on (re-distillation): one stage of its shape, with its tokenizer."""
    start_teaches: np.ndarray | None = None
    """bool [texts]: where that student teaches beside the root teacher; nowhere when None."""
    scoring: Scoring = ONE_LABEL
    """Of the task."""

    def hard_labels(self) -> np.ndarray:
        """int64 [texts], -1 where there is none; sets [texts, labels] in a multi-label task."""
        if self.hard is None:
            width = self.scoring.answers(self.teacher).shape[1:]
            return np.full((len(self.texts), *width), NO_LABEL, dtype=np.int64)
        return np.asarray(self.hard, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """One trained student."""

    name: str
    folder: Path
    """Where `students.checkpoint.load_student` finds it."""
    shape: Shape
    params: int
    params_without_embeddings: int
    taught_by: tuple[str, ...]
    initialized: str
    """Where its first weights came from: `teacher`, the name of a stage, `champion` or `scratch`."""
    steps: int
    epochs: float
    tokens: int
    """Tokens trained on, padding included."""
    seconds: float
    """Spent in training, in all runs of this stage together."""
    validation_agreement: float
    validation_loss: float
    """Mean KL(teacher || student) on the validation split, in nats; summed over independent labels."""
    hopeless: str = ""
    """Why it was given up before its end; a hopeless student teaches nobody."""
    resumed: bool = field(default=False)
    """Whether an earlier run had begun or finished this stage."""

    @property
    def flops(self) -> float:
        """Training compute: 6 x parameters outside the embeddings x tokens."""
        return float(FLOPS_A_PARAMETER * self.params_without_embeddings * self.tokens)


@dataclass(frozen=True, slots=True)
class ChainResult:
    """The students of a chain, largest first."""

    stages: tuple[StageResult, ...]

    @property
    def final(self) -> StageResult:
        """The last and smallest student."""
        return self.stages[-1]

    @property
    def teaching(self) -> tuple[StageResult, ...]:
        """The stages before the last that teach: all but those that were given up."""
        return tuple(stage for stage in self.stages[:-1] if not stage.hopeless)

    @property
    def flops(self) -> float:
        """Training compute of all stages."""
        return sum(stage.flops for stage in self.stages)
