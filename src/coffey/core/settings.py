"""What `coffey.toml` says, as frozen values: one small class a section, one line of meaning a field.

The classes are plain; `project/configuration.py` reads files into them and checks the bounds that each
field states in its metadata. Defaults carry their reason in the field's text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from coffey.core.ranges import Amount


def setting(meaning: str, default: Any, **bounds: float) -> Any:
    """A field with its meaning and its bounds (`ge`, `gt`, `le`, `lt`), read by the configuration reader."""
    return field(default=default, metadata={"meaning": meaning, "bounds": bounds})


def required(meaning: str, **bounds: float) -> Any:
    """A field that has no default: the file must set it."""
    return field(metadata={"meaning": meaning, "bounds": bounds})


@dataclass(frozen=True, slots=True)
class OrWord:
    """Marks a list in whose place the file may say one word; it is then read as a tuple of that word."""

    word: str


AUTO = "auto"
"""The plan chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """`[project]`: the name and the place where everything is kept."""

    name: str = required("name of the project, used in reports and model names")
    store: str = setting("local folder that keeps labels, models, traffic and journals", ".coffey")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSettings:
    """`[task]`: what is answered, and which columns hold it."""

    kind: Literal["text-classification", "multi-label-classification"] = setting(
        "one label a text, or any number of labels a text", "text-classification"
    )
    text: str = setting("column that holds the input", "text")
    label: str | None = setting(
        "column that holds the hard label; without it agreement is measured instead of accuracy", None
    )
    labels: tuple[str, ...] | str | None = setting(
        "names of the labels in the teacher's order (list or JSON file); absent where it states its own",
        None,
    )
    separator: str = setting(
        "multi-label: what stands between the labels of a row where they are one string, as in CSV", ","
    )
    threshold: float | None = setting(
        "multi-label: probability from which a label is given; when absent the one that suits the hard "
        "labels of the transfer set best, and 0.5 without any",
        None,
        gt=0,
        lt=1,
    )

    @property
    def many_labels(self) -> bool:
        """Whether a text may have any number of labels."""
        return self.kind == "multi-label-classification"

    @property
    def label_separator(self) -> str | None:
        """The separator of a multi-label task; None where a row has one label."""
        return self.separator if self.many_labels else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """`teacher.cost`: one of three prices; output tokens may have a second one."""

    usd_per_hour: Amount | None = setting("price of the machine that the teacher runs on", None, ge=0)
    usd_per_1k_requests: Amount | None = setting("price of 1,000 requests", None, ge=0)
    usd_per_1m_tokens: Amount | None = setting("price of 1,000,000 input tokens", None, ge=0)
    usd_per_1m_output_tokens: Amount | None = setting(
        "openai: price of 1,000,000 output tokens, beside usd_per_1m_tokens", None, ge=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """`teacher.endpoint`: of kind openai, where the model answers and at what pace."""

    url: str | None = setting("base of an OpenAI-compatible API, such as http://127.0.0.1:8000/v1", None)
    api_key_env: str | None = setting(
        "environment variable that holds the key; no key is sent when absent", None
    )
    concurrency: int = setting("requests under way at once", 8, ge=1, le=1024)
    requests_per_minute: float | None = setting("requests begun a minute; no limit when absent", None, gt=0)
    tokens_per_minute: float | None = setting(
        "input and output tokens a minute; no limit when absent", None, gt=0
    )
    timeout_s: float = setting("longest wait for one response", 60.0, gt=0)
    retries: int = setting("times that a failed request is sent again, with growing pauses", 6, ge=0)
    deadline_s: float = setting("longest time for one request with all its retries", 600.0, gt=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingSettings:
    """`teacher.asking`: of kind openai, what the model is asked, and how its answers become distributions."""

    prompt: str | None = setting(
        "question with the fields {text} and {labels}, or a file that holds one; a plain one when absent",
        None,
    )
    system: str | None = setting("system message before the question", None)
    spelling: Literal["names", "letters"] = setting(
        "what the model writes for a label: its name, or a letter of the listed labels (up to 26)", "names"
    )
    distribution: Literal["logprobs", "samples"] = setting(
        "where probabilities come from: the answer's tokens, or repeated answers", "logprobs"
    )
    top_logprobs: int = setting("logprobs: alternatives asked for at each token", 20, ge=1, le=20)
    min_mass: float = setting(
        "logprobs: probability that must be with the labels; with less an answer is malformed",
        0.5,
        gt=0,
        le=1,
    )
    samples: int = setting("samples: answers a text", 5, ge=1, le=1000)
    samples_per_request: int = setting(
        "samples: answers asked for in one request (`n`); 1 where the endpoint gives one only", 128, ge=1
    )
    smoothing: float = setting(
        "samples: answers added, spread evenly over the labels (1 is the prior of Perks 1947)", 1.0, ge=0
    )
    seed: int = setting("samples: seed sent with a request, mixed with its text", 17, ge=0)
    max_tokens: int = setting("tokens of an answer; the longest label must fit", 16, ge=1)
    extra: str | None = setting(
        "JSON object of further request fields, such as a grammar; null takes a field away", None
    )
    ask_again: int = setting("times that a malformed answer is asked for again", 2, ge=0, le=100)
    malformed: Literal["refuse", "skip"] = setting(
        "after that: stop, or leave the input without a label", "refuse"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherSettings:
    """`[teacher]`: the model to replace."""

    kind: Literal["transformers", "python", "openai"] = required("how the teacher is reached")
    source: str = required(
        "transformers: folder or hub id; python: 'package.module:function'; openai: the model's name"
    )
    revision: str | None = setting(
        "transformers: hub revision, best a commit; openai: the system_fingerprint that answers must have",
        None,
    )
    head: str | None = setting(
        "safetensors file with a classification head for a sentence-embedding checkpoint", None
    )
    version: str | None = setting(
        "python, openai: changes the fingerprint when the model behind the name changes", None
    )
    batch_size: int = setting("inputs asked at once", 32, ge=1, le=4096)
    max_length: int = setting("tokens kept of an input; more is cut", 128, ge=8, le=8192)
    threads: int | None = setting("CPU threads; all cores when absent", None, ge=1)
    cost: CostSettings = field(default_factory=CostSettings, metadata={"meaning": "what the teacher costs"})
    endpoint: EndpointSettings = field(
        default_factory=EndpointSettings, metadata={"meaning": "where an openai teacher answers"}
    )
    asking: AskingSettings = field(
        default_factory=AskingSettings, metadata={"meaning": "how an openai teacher is asked"}
    )


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
    augment: float = setting(
        "texts made from the transfer set and asked of the teacher, for each text that is trained on; 4 is "
        "worth trying where the teacher was trained on the same texts",
        0.0,
        ge=0,
        le=20,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """`[chain]`: the stages and how they are trained."""

    stages: Annotated[tuple[str, ...], OrWord(AUTO)] = setting(
        "a student a stage: parameters ('2M'), a shape ('layers=3,width=192,heads=6,vocabulary=8000'), a "
        "static student ('static:300K', 'static:width=64') or your own ('module=package.module:function'); "
        "'auto' takes what the plan recommends",
        ("7M", "2M", "700K"),
    )
    guidance: Literal["previous", "root", "dense"] = setting(
        "who teaches a stage: the stage before, the root teacher, or all before it", "dense"
    )
    prove: bool = setting(
        "also train the last student without the stages before it, at equal compute, and ship it unless the "
        "stages win on half of the validation split; about doubles the training of a chain",
        True,
    )
    initialize: Literal["teacher", "scratch"] = setting(
        "where a student's first weights come from", "teacher"
    )
    epochs: float = setting(
        "passes over the transfer set, at most; texts made by data.augment take the place of repeats, the "
        "steps stay the same",
        10.0,
        gt=0,
    )
    batch_size: int = setting("inputs an optimizer step", 64, ge=1)
    learning_rate: float = setting(
        "peak learning rate of AdamW for an encoder of width 64 or less; a wider one gets less, as 1 / width "
        "(Yang et al. 2022)",
        2e-3,
        gt=0,
        le=1,
    )
    warmup: float = setting("share of the steps spent raising the learning rate", 0.1, ge=0, lt=1)
    temperature: float = setting(
        "softens teacher and student distributions; the loss is scaled by its square (Hinton et al. 2015)",
        4.0,
        gt=0,
    )
    hard_weight: float = setting(
        "share of the loss that comes from hard labels where there are any", 0.1, ge=0, le=1
    )
    hint_weight: float = setting(
        "weight of the distance from the teacher's sentence features, where it shows them, through a map "
        "that is trained and does not ship; 0 leaves it out",
        0.3,
        ge=0,
    )
    relation_weight: float = setting(
        "weight of the teacher's similarities between the texts of a batch, where it shows its features; "
        "0 leaves it out; with both weights 0 the features are never read",
        10.0,
        ge=0,
    )
    max_length: int = setting("tokens the student reads of an input; more is cut", 64, ge=8, le=512)
    validation: float = setting("share of the transfer set kept for early stopping", 0.1, gt=0, lt=0.5)
    patience: int = setting("evaluations without improvement before a stage stops", 10, ge=1)
    checkpoint_seconds: float = setting("time between checkpoints", 30.0, gt=0)
    seed: int = setting("seed of every random choice", 17, ge=0)
    threads: int | None = setting("CPU threads for training; all cores when absent", None, ge=1)

    @property
    def wants_features(self) -> bool:
        """Whether stages learn from more than answers, where the teacher shows more."""
        return self.hint_weight > 0 or self.relation_weight > 0


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
    """`[economics]`: traffic and prices; amounts may be ranges such as "8M..12M"."""

    requests_per_day: Amount = setting("requests a day", 1_000_000.0, ge=0)
    growth_per_year: Amount = setting(
        "growth of the traffic a year as a share: 0.2 is 20 % more each year", 0.0, gt=-1, le=10
    )
    discount_per_year: Amount = setting(
        "what a dollar a year later is worth less by, as a share; 0 counts all dollars alike", 0.0, ge=0, le=1
    )
    student_usd_per_hour: Amount | None = setting("price of the machine that serves the student", None, ge=0)
    training_usd_per_hour: Amount | None = setting(
        "price of the machine that trains; student_usd_per_hour when absent", None, ge=0
    )
    horizon_days: float = setting("days over which savings are counted", 365.0, gt=0)
    peak_to_mean: Amount = setting(
        "busiest hour over the mean hour: capacity is bought for the peak", 2.0, ge=1
    )
    replicas: int = setting("copies of the server for redundancy, at least", 1, ge=1)
    people_hours: Amount = setting("hours of people a run takes", 0.0, ge=0)
    people_usd_per_hour: Amount = setting("price of such an hour", 100.0, ge=0)
    export_hours: Amount = setting(
        "machine hours of export, gate and bench in a run, at the price of training", 0.0, ge=0
    )
    redistills_per_year: Amount = setting(
        "re-distillations that drift will ask for in a year", 0.0, ge=0, le=366
    )
    redistill_people_hours: Amount = setting("hours of people a re-distillation takes", 0.0, ge=0)
    storage_usd_per_gb_month: Amount = setting(
        "price of keeping a GB for a month: the traffic log, the teacher's answers, models", 0.0, ge=0
    )
    log_bytes_per_request: Amount | None = setting(
        "bytes that the traffic log keeps of a request; assumed when absent", None, ge=0
    )
    error_usd: Amount | None = setting(
        "what a wrong answer of the student costs, where the teacher's was right; not counted when absent",
        None,
        ge=0,
    )
    label_usd: Amount | None = setting(
        "price of one label by people, for the alternative without a teacher", None, ge=0
    )
    cascade_share: Amount | None = setting(
        "share of the requests that a cascade hands on to the teacher; assumed when absent", None, ge=0, le=1
    )


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
    relabel: int = setting(
        "recent requests that a re-distillation labels, at most, to learn from and to measure a promise by",
        2000,
        ge=1,
    )
    redistill_epochs: float = setting(
        "passes over old and new answers when re-distilling, at most", 4.0, gt=0
    )
    fresh_share: float = setting(
        "share of the recent requests kept to judge the challenger by", 0.4, gt=0, lt=1
    )
    retention_days: float = setting(
        "days that traffic is kept, and texts wherever served requests left them", 30.0, gt=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSettings:
    """`[control]`: what `tick` may do by itself."""

    approve: bool = setting(
        "whether promotions and rollbacks that `tick` finds due wait for `coffey promote` and "
        "`coffey rollback`",
        False,
    )
    cooldown_hours: float = setting("hours between the end of a re-distillation and the next one", 0.0, ge=0)
    error_rate: float = setting(
        "probability that a comparison with the champion is won by a student that is no better, at most",
        0.025,
        gt=0,
        lt=0.5,
    )
    min_gain: float = setting(
        "gain of agreement that a challenger must be shown to have over the champion", 0.0, ge=0, lt=1
    )
    comparison_labels: int = setting(
        "teacher answers that one comparison takes, at most; only where the two students differ", 800, ge=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """`[alerts]`: who is told what `tick` decided."""

    on: tuple[str, ...] = setting(
        "decisions that are told: investigate, redistill, promote, keep, rollback, healthy, waiting, failed",
        ("investigate", "redistill", "promote", "keep", "rollback", "failed"),
    )
    webhook: str | None = setting(
        "URL that each alert is posted to, signed with COFFEY_WEBHOOK_SECRET; one that is a secret itself "
        "goes into COFFEY_WEBHOOK_URL",
        None,
    )
    command: tuple[str, ...] | None = setting(
        "program and arguments that each alert is given to, as JSON on standard input", None
    )
    textfile: str | None = setting("file for gauges that Prometheus' node exporter collects (*.prom)", None)
    attempts: int = setting("times that an alert is tried in one tick", 4, ge=1, le=20)
    timeout_seconds: float = setting("longest time that one try may take", 10.0, gt=0, le=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """`[privacy]`: what is kept of the texts that were served."""

    text: str = setting(
        "what the traffic log keeps of a text: 'keep', 'hash', 'drop', or a function from text to text as "
        "'package.module:function'; requests chosen for audit are redacted once the teacher was asked",
        "keep",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """`[serve]`: the server's limits."""

    host: str = setting("address to listen on", "127.0.0.1")
    port: int = setting("port to listen on; 0 takes a free one", 8080, ge=0, le=65535)
    workers: int = setting("processes that answer, each on cores of its own", 1, ge=1, le=255)
    threads: int = setting("ONNX Runtime threads of one worker", 1, ge=1)
    max_batch: int = setting("inputs run at once", 32, ge=1)
    max_inputs: int = setting("inputs in one request", 256, ge=1)
    max_body_bytes: int = setting("bytes of a request body", 1_048_576, ge=1)
    max_text_chars: int = setting("characters of one text", 20_000, ge=1)
    max_queue: int = setting("inputs waiting before new ones are refused", 1024, ge=1)
    max_queue_ms: float = setting(
        "longest expected wait in the queue before new requests are refused", 1000.0, gt=0
    )
    log_buffer: int = setting(
        "records waiting for the log writer before new ones are dropped and counted", 8192, ge=1
    )
    follow_seconds: float = setting("time between looks at the registry", 1.0, gt=0)
    grpc_port: int | None = setting(
        "port for the Open Inference Protocol over gRPC (extra `grpc`), beside HTTP; 0 takes a free one",
        None,
        ge=0,
        le=65535,
    )
    access_log: bool = setting("write one JSON line a request to standard error", False)
    traces: bool = setting(
        "send a span of each request whose trace is sampled to an OpenTelemetry collector (extra `otel`)",
        False,
    )
    tls_certificate: str | None = setting(
        "file with the server's certificate and its chain (PEM), for HTTPS; read anew on SIGHUP", None
    )
    tls_key: str | None = setting("file with the certificate's private key (PEM)", None)


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
    control: ControlSettings = field(
        default_factory=ControlSettings, metadata={"meaning": "what is done by itself"}
    )
    alerts: AlertSettings = field(default_factory=AlertSettings, metadata={"meaning": "who is told"})
    privacy: PrivacySettings = field(
        default_factory=PrivacySettings, metadata={"meaning": "what is kept of texts"}
    )
    serve: ServeSettings = field(default_factory=ServeSettings, metadata={"meaning": "the server"})
