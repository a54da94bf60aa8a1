"""Frozen records that cross rooms. Units are in the names; every estimate has an interval."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Example:
    """One input of the task, and its hard label where there is one."""

    text: str
    label: str | tuple[str, ...] | None = None
    """The labels of a multi-label task are a tuple, which may be empty; None is not known."""
    source: str = ""
    """The file it came from, as the user wrote it."""
    line: int = 0
    """Its line there (1-based; the row number in Parquet and `datasets` folders)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it."""

    value: float
    low: float
    high: float
    confidence: float = 0.95
    method: str = ""
    """What computed it, for example `wilson` or `paired-bootstrap`."""


class Origin(enum.Enum):
    """Where a figure comes from. Shown beside every figure in USD."""

    MEASURED = "measured here"
    CONFIGURED = "configured"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit and its origin."""

    value: float
    unit: str
    origin: Origin
    note: str = ""
    """How it was measured, which key configured it, or why it was assumed."""
    modelled: bool = False
    """Whether a model made it of something else: how wrong such figures were is a record of its own."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that a measurement was taken on."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    accelerator: str | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of one student, measured through the path that serves it."""

    examples: int
    agreement: Interval
    """Mean score of the student's answers against the teacher's: with one label a text, the share of the
    examples on which both give the same."""
    labelled: int = 0
    accuracy: Interval | None = None
    teacher_accuracy: Interval | None = None
    retention: Interval | None = None
    """Student accuracy divided by teacher accuracy on the same labelled examples."""
    measure: str = "accuracy"
    """What `accuracy` is: the share of right answers, or of a multi-label task the example-based `F1`."""
    commonest: float | None = None
    """Share of the examples that get the student's most frequent answer; None where it was not counted."""
    teacher_commonest: float | None = None
    """Share of the examples that get the teacher's most frequent answer."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of one way of asking one model."""

    subject: str
    """What was timed, for example `student int8` or `teacher fp32`."""
    path: str
    """`in-process` or `http`."""
    load: str
    """`closed` (one request at a time) or `open` (arrivals that do not wait for answers)."""
    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    rps: float
    """Requests answered a second."""
    offered_rps: float | None = None
    """Requests sent a second, in open-loop load."""
    errors: int = 0
    sample_ms: tuple[float, ...] = ()
    """Up to 2,000 evenly spaced order statistics, for plots."""


@dataclass(frozen=True, slots=True)
class TrafficRecord:
    """One served request, as the log keeps it."""

    id: str
    unix_s: float
    """When it was answered."""
    model: str
    """Digest of the artifact that answered."""
    text: str
    label: str
    """The student's label; of a multi-label task its labels, as a JSON list."""
    confidence: float
    """The probability that the student gave its label."""
    latency_ms: float
    audit: bool
    """Whether it was chosen to be answered again by the teacher."""
    audit_probability: float
    """The probability with which that choice was made, before it was made."""
    audit_rate: float | None = None
    """The mean probability of all requests at that time, where theirs differ by confidence; None where all
    have the same."""


@dataclass(frozen=True, slots=True)
class Audit:
    """One audited request: the student's answer beside the teacher's."""

    id: str
    """The traffic record's id."""
    unix_s: float
    """When the request was served."""
    model: str
    key: str
    """`core.ids.input_key` of the text."""
    text: str
    student_label: str
    teacher_label: str
    agree: bool
    """Whether both answers are the same."""
    confidence: float
    probability: float
    """The probability with which this request was chosen for audit."""
    teacher: str
    """Fingerprint of the teacher that answered."""
    score: float | None = None
    """Of a multi-label task, how well the answers agree, in [0, 1]; None where `agree` says it all."""
    rate: float | None = None
    """`TrafficRecord.audit_rate` of the request."""
    passed: tuple[float, ...] | None = None
    """Requests of each confidence bin of the model since the audit before, that were not audited; each
    counted as its own rate divided by this one's. None where they were not counted."""
    tokens: int | None = None
    """Tokens that the student read of it; None where its model has no baseline."""
    cluster: int | None = None
    """The cluster of the model's baseline that it lies in; -1 where it is unlike all."""

    @property
    def agreement(self) -> float:
        """How well the answers agree, in [0, 1]."""
        return float(self.agree) if self.score is None else self.score


@dataclass(frozen=True, slots=True)
class Contract:
    """What was promised when a student was promoted, and how much less is tolerated."""

    agreement: Interval
    examples: int
    """How many examples the promise was measured on."""
    measured_on: str
    """`holdout` or `fresh audits`."""
    max_drop: float
    """A drop over this is investigated."""
    redistill_drop: float
    """A drop over this is mended by re-distilling."""


class DecisionKind(enum.Enum):
    """What one look at the evidence leads to."""

    HEALTHY = "healthy"
    """The contract is kept, or nothing says otherwise yet."""
    WAITING = "waiting"
    """There is no champion or no audit to look at."""
    INVESTIGATE = "investigate"
    """Agreement is below the contract by more than `max_drop`."""
    REDISTILL = "redistill"
    """Agreement is below the contract by more than `redistill_drop`: train a challenger."""
    PROMOTE = "promote"
    """The challenger won against the champion."""
    KEEP = "keep"
    """The challenger did not win; the champion stays."""
    ROLLBACK = "rollback"
    """The previous champion proved better than the one that replaced it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, why it was taken, and the numbers it was taken on."""

    kind: DecisionKind
    reason: str
    numbers: Mapping[str, float | int | str | None] = field(default_factory=dict)
