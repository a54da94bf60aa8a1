"""What `distill` came to, as `--json` prints it, the report draws it and the next forecast reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from coffey.core.records import Interval, Machine, Quality
from coffey.dashboard.plain import plain
from coffey.distill.hard_labels import DoubtfulLabels
from coffey.distill.proof import StageDecision
from coffey.export.gate import GateResult
from coffey.project.labelling import LabelResult
from coffey.project.shown import Shown

if TYPE_CHECKING:
    from coffey.dashboard.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSummary:
    """One trained student; its quality is the torch module's on the holdout."""

    name: str
    shape: str
    params: int
    params_without_embeddings: int
    taught_by: tuple[str, ...]
    initialized: str
    steps: int
    epochs: float
    seconds: float
    flops: float
    validation_agreement: float
    quality: Quality
    resumed: bool
    hopeless: str = ""
    """Why it was given up before its end; empty where it was not."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The chain's student against a control arm, on the same holdout rows."""

    name: str
    measure: str
    """`accuracy` (`F1` in a multi-label task) where the holdout is labelled, else `agreement`."""
    difference: Interval
    """Chain minus control."""
    verdict: str


@dataclass(frozen=True, slots=True)
class Controls:
    """What the same student is without stages, and without the teacher's distributions."""

    direct: StageSummary
    """Of a chain of one stage, that stage: it is not trained twice, nor compared with itself."""
    labels_only: StageSummary
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSummary:
    """Which stages earned their place, on half of the validation split, and what ships therefore."""

    decisions: tuple[StageDecision, ...]
    routes: tuple[StageSummary, ...]
    """The last student as it was trained without some of the stages, at equal compute."""
    shipped: str
    """The route whose student ships: `chain`, `direct jump` or `chain without 2M`."""
    advice: str | None
    """What to write in coffey.toml next time; None where every stage is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherSummary:
    """The model that was replaced."""

    name: str
    source: str
    kind: str
    params: int | None
    fingerprint: str
    accuracy: Interval | None
    measure: str = "accuracy"
    """What `accuracy` is, as in `Quality`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentSummary:
    """The student that ships; its quality was measured on the artifact."""

    name: str
    digest: str
    params: int
    params_without_embeddings: int
    bytes: int
    """Of the model file."""
    variant: str
    content: str
    """Digest of model, tokenizer and labels alone: equal for every run of the same inputs."""
    agreement: Interval
    accuracy: Interval | None
    retention: Interval | None
    measure: str = "accuracy"
    threshold: float | None = None
    """Of a multi-label task: the probability from which teacher and student give a label."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DistillResult(Shown):
    """What `distill` came to."""

    teacher: TeacherSummary
    student: StudentSummary
    stages: tuple[StageSummary, ...]
    """Of the whole chain, also those that did not earn their place."""
    controls: Controls | None
    gate: GateResult
    artifact: str
    challenger: str | None
    """Name in the registry; None when the gate refused."""
    labelling: LabelResult
    doubtful: DoubtfulLabels
    """Hard labels of the transfer set that the teacher contradicts; their rows learn from it alone."""
    params_ratio: float | None
    seconds: float
    machine: Machine
    proof: ProofSummary | None = None
    """None for a single stage, and with `chain.prove = false`."""
    notes: tuple[str, ...] = ()
    """What a person should know beside the figures; mostly nothing."""
    report: str | None = None
    command: str = field(default="coffey distill")

    def page(self) -> Page:
        """The page of `coffey distill`."""
        from coffey.dashboard.reports import distill_page
        from coffey.project.reporting import distill_view

        return distill_page(distill_view(self.student.name, self))

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Every student that was trained: the stages, then the routes of the proof and the control arms."""
        routes = self.proof.routes if self.proof else ()
        arms = (self.controls.direct, self.controls.labels_only) if self.controls else ()
        found = {
            (role, one.name): {"role": role, **cast("dict[str, Any]", plain(one))}
            for role, several in (("stage", self.stages), ("route", routes), ("control", arms))
            for one in several
        }
        return list(found.values())
