"""What `coffey.toml` says, as frozen values: one small class a section, one line of meaning a field.

The classes are plain; `project/configuration.py` reads files into them and checks the bounds that each
field states in its metadata. Defaults carry their reason in the field's text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


def setting(meaning: str, default: Any, **bounds: float) -> Any:
    """A field with its meaning and its bounds (`ge`, `gt`, `le`, `lt`), read by the configuration reader."""
    return field(default=default, metadata={"meaning": meaning, "bounds": bounds})


def required(meaning: str, **bounds: float) -> Any:
    """A field that has no default: the file must set it."""
    return field(metadata={"meaning": meaning, "bounds": bounds})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """`[project]`: the name and the place where everything is kept."""

    name: str = required("name of the project, used in reports and model names")
    store: str = setting("local folder that keeps labels, models, traffic and journals", ".coffey")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSettings:
    """`[task]`: what is answered, and which columns hold it."""

    kind: Literal["text-classification"] = setting("the task", "text-classification")
    text: str = setting("column that holds the input", "text")
    label: str | None = setting(
        "column that holds the hard label; without it agreement is measured instead of accuracy", None
    )
    labels: tuple[str, ...] | str | None = setting(
        "names of the labels in the teacher's order (list or JSON file); transformers states its own",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """`teacher.cost`: one of three prices."""

    usd_per_hour: float | None = setting("price of the machine that the teacher runs on", None, ge=0)
    usd_per_1k_requests: float | None = setting("price of 1,000 requests", None, ge=0)
    usd_per_1m_tokens: float | None = setting("price of 1,000,000 input tokens", None, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherSettings:
    """`[teacher]`: the model to replace."""

    kind: Literal["transformers", "python"] = required("how the teacher is reached")
    source: str = required("transformers: folder or hub id; python: 'package.module:function'")
    revision: str | None = setting(
        "hub revision (commit, tag or branch); pin a commit for a stable fingerprint", None
    )
    head: str | None = setting(
        "safetensors file with a classification head for a sentence-embedding checkpoint", None
    )
    version: str | None = setting(
        "python: changes the fingerprint when the model behind the function changes", None
    )
    batch_size: int = setting("inputs asked at once", 32, ge=1, le=4096)
    max_length: int = setting("tokens kept of an input; more is cut", 128, ge=8, le=8192)
    threads: int | None = setting("CPU threads; all cores when absent", None, ge=1)
    cost: CostSettings = field(default_factory=CostSettings, metadata={"meaning": "what the teacher costs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSettings:
    """`[data]`: where the inputs are."""

    transfer: tuple[str, ...] | str = required(
        "files the student learns from: CSV, JSONL, Parquet or a saved `datasets` folder; globs"
    )
    holdout: tuple[str, ...] | str = required("files for the gate; never trained on")
    bad_rows: Literal["refuse", "skip"] = setting("what to do with rows that cannot be read", "refuse")
    near_duplicate: float = setting(
        "Jaccard similarity of word 3-grams from which two texts are near-duplicates", 0.8, gt=0, le=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """`[chain]`: the stages and how they are trained."""

    stages: tuple[str, ...] = setting(
        "a student a stage: parameters ('2M') or a shape ('layers=3,width=192,heads=6,vocabulary=8000')",
        ("7M", "2M", "700K"),
    )
    guidance: Literal["previous", "root", "dense"] = setting(
        "who teaches a stage: the stage before, the root teacher, or all before it", "dense"
    )
    initialize: Literal["teacher", "scratch"] = setting(
        "where a student's first weights come from", "teacher"
    )
    epochs: float = setting("passes over the transfer set, at most", 10.0, gt=0)
    batch_size: int = setting("inputs an optimizer step", 64, ge=1)
    learning_rate: float = setting("peak learning rate of AdamW", 2e-3, gt=0, le=1)
    warmup: float = setting("share of the steps spent raising the learning rate", 0.1, ge=0, lt=1)
    temperature: float = setting(
        "softens teacher and student distributions; the loss is scaled by its square (Hinton et al. 2015)",
        4.0,
        gt=0,
    )
    hard_weight: float = setting(
        "share of the loss that comes from hard labels where there are any", 0.1, ge=0, le=1
    )
    max_length: int = setting("tokens the student reads of an input; more is cut", 64, ge=8, le=512)
    validation: float = setting("share of the transfer set kept for early stopping", 0.1, gt=0, lt=0.5)
    patience: int = setting("evaluations without improvement before a stage stops", 4, ge=1)
    checkpoint_seconds: float = setting("time between checkpoints", 30.0, gt=0)
    seed: int = setting("seed of every random choice", 17, ge=0)
    threads: int | None = setting("CPU threads for training; all cores when absent", None, ge=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """`[export]`: the artifact."""

    min_parity: float = setting(
        "share of the holdout on which a variant must agree with the trained student", 0.99, gt=0, le=1
    )
    int8: bool = setting("try dynamic int8 quantization; it ships only within min_parity", True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """`[budget]`: what the result must keep to."""

    latency_p99_ms: float = setting("p99 of one request through the server", 50.0, gt=0)
    min_retention: float = setting(
        "lower bound of student quality over teacher quality (labelled holdout)", 0.97, gt=0, le=1.5
    )
    min_agreement: float = setting(
        "lower bound of agreement with the teacher (unlabelled holdout)", 0.90, gt=0, le=1
    )
    max_usd: float = setting("most that one labelling and training run may cost", 5000.0, gt=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EconomicsSettings:
    """`[economics]`: traffic and prices."""

    requests_per_day: float = setting("requests a day", 1_000_000.0, ge=0)
    student_usd_per_hour: float | None = setting("price of the machine that serves the student", None, ge=0)
    training_usd_per_hour: float | None = setting(
        "price of the machine that trains; student_usd_per_hour when absent", None, ge=0
    )
    horizon_days: float = setting("days over which savings are counted", 365.0, gt=0)
    peak_to_mean: float = setting(
        "busiest hour over the mean hour: capacity is bought for the peak", 2.0, ge=1
    )
    replicas: int = setting("copies of the server for redundancy, at least", 1, ge=1)
    people_hours: float = setting("hours of people a run takes", 0.0, ge=0)
    people_usd_per_hour: float = setting("price of such an hour", 100.0, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """`[monitor]`: audits, and what counts as a drop."""

    max_drop: float = setting("drop of agreement under the contract that is investigated", 0.02, gt=0, lt=1)
    redistill_drop: float = setting("drop of agreement that re-distillation mends", 0.03, gt=0, lt=1)
    audits_per_day: float = setting("teacher answers a day for audits", 1000.0, gt=0)
    false_alarm_every_days: float = setting(
        "mean days between false alarms while the contract is kept, at least", 365.0, gt=0
    )
    audit_probability: float | None = setting(
        "probability of an audit; audits_per_day over requests_per_day when absent", None, gt=0, le=1
    )
    relabel: int = setting("recent requests that a re-distillation labels, at most", 2000, ge=1)
    redistill_epochs: float = setting(
        "passes over old and new answers when re-distilling, at most", 4.0, gt=0
    )
    fresh_share: float = setting(
        "share of the freshly labelled requests kept to judge the challenger", 0.4, gt=0, lt=1
    )
    retention_days: float = setting("days that traffic is kept", 30.0, gt=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """`[serve]`: the server's limits."""

    host: str = setting("address to listen on", "127.0.0.1")
    port: int = setting("port to listen on; 0 takes a free one", 8080, ge=0, le=65535)
    threads: int = setting("ONNX Runtime threads of one worker", 1, ge=1)
    max_batch: int = setting("inputs run at once", 32, ge=1)
    max_inputs: int = setting("inputs in one request", 256, ge=1)
    max_body_bytes: int = setting("bytes of a request body", 1_048_576, ge=1)
    max_text_chars: int = setting("characters of one text", 20_000, ge=1)
    max_queue: int = setting("inputs waiting before new ones are refused", 1024, ge=1)
    log_buffer: int = setting(
        "records waiting for the log writer before new ones are dropped and counted", 8192, ge=1
    )
    follow_seconds: float = setting("time between looks at the registry", 1.0, gt=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole of `coffey.toml`."""

    project: ProjectSettings = field(metadata={"meaning": "name and store"})
    task: TaskSettings = field(default_factory=TaskSettings, metadata={"meaning": "the task"})
    teacher: TeacherSettings = field(metadata={"meaning": "the model to replace"})
    data: DataSettings = field(metadata={"meaning": "transfer set and holdout"})
    chain: ChainSettings = field(default_factory=ChainSettings, metadata={"meaning": "the stages"})
    export: ExportSettings = field(default_factory=ExportSettings, metadata={"meaning": "the artifact"})
    budget: BudgetSettings = field(default_factory=BudgetSettings, metadata={"meaning": "what must hold"})
    economics: EconomicsSettings = field(
        default_factory=EconomicsSettings, metadata={"meaning": "traffic and prices"}
    )
    monitor: MonitorSettings = field(
        default_factory=MonitorSettings, metadata={"meaning": "audits and alarms"}
    )
    serve: ServeSettings = field(default_factory=ServeSettings, metadata={"meaning": "the server"})
