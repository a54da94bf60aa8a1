"""A scenario: models, transfer set, machines and traffic of a plan without a machine to measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coffey.economics.hardware import PRECISIONS, Hardware, load_catalogue
from coffey.economics.toml_reader import Bounded, TomlReader
from coffey.economics.training_memory import Sharding
from coffey.economics.transformer import TransformerShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a model runs."""

    hardware: Hardware
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where stages are trained: devices that each see other inputs."""

    place: Place
    devices: int
    sharding: Sharding


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """One model of the scenario."""

    name: str
    shape: TransformerShape


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One distillation: the student and how long it is trained."""

    model: ModelPlan
    epochs: Bounded
    batch: int
    """Inputs of an optimizer step, over all devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a scenario file says. Amounts in the units of the key."""

    name: str
    catalogue: Mapping[str, Hardware]
    cluster: Cluster
    rows: Bounded
    """Inputs of the transfer set."""
    tokens: int
    """Of an input, in training, labelling and serving."""
    teacher: ModelPlan
    decoded_tokens: int
    """That the teacher writes for each answer; 0 where it is read off one forward pass."""
    stages: tuple[StagePlan, ...]
    direct: StagePlan
    """The last stage's student, taught by the teacher alone."""
    teacher_place: Place
    student_place: Place
    max_batch: int
    """Requests that a server answers at once."""
    latency_p99_ms: float
    economics: Mapping[str, Bounded]


_ECONOMICS = {
    "requests_per_day": None,
    "horizon_days": 365.0,
    "peak_to_mean": 3.0,
    "replicas": 2.0,
    "audits_per_day": 1000.0,
    "people_hours": 0.0,
    "people_usd_per_hour": 100.0,
    "controls_share": 0.0,
}
"""Keys of `[economics]` with their defaults; None is required."""

_CHOSEN = ("horizon_days", "replicas")
"""Decided, not uncertain: a range makes no sense."""


def load_scenario(path: Path) -> Scenario:
    """The scenario of a file.

    Raises:
        ConfigError: every problem of the file, or of the hardware file that it names.
    """
    root = TomlReader.of_file(path)
    extra = root.text("hardware") if root.has("hardware") else None
    catalogue = load_catalogue(path.parent / extra if extra else None)
    scenario = _scenario(root, catalogue)
    root.close()
    root.finish(str(path))
    return scenario


def _scenario(root: TomlReader, catalogue: Mapping[str, Hardware]) -> Scenario:
    transfer, serving, economics = root.table("transfer"), root.table("serving"), root.table("economics")
    teacher = root.table("teacher")
    decoded = teacher.whole("decoded_tokens", default=0, at_least=0)
    outputs = transfer.whole("labels", default=2)
    model = ModelPlan(name=teacher.text("name"), shape=_shape(teacher, outputs))
    stages = _stages(root, outputs)
    last = stages[-1] if stages else StagePlan(model=model, epochs=Bounded(1, 1, 1), batch=1)
    scenario = Scenario(
        name=root.text("name"),
        catalogue=catalogue,
        cluster=_cluster(root.table("cluster"), catalogue),
        rows=transfer.amount("rows", above=0),
        tokens=transfer.whole("tokens"),
        teacher=model,
        decoded_tokens=decoded,
        stages=stages,
        direct=_direct(root.table("direct", required=False), last),
        teacher_place=_place(serving.table("teacher"), catalogue),
        student_place=_place(serving.table("student"), catalogue),
        max_batch=serving.whole("max_batch", default=64),
        latency_p99_ms=serving.number("latency_p99_ms", default=50.0, above=0),
        economics=_amounts(economics),
    )
    for table in (transfer, serving, economics, teacher):
        table.close()
    return scenario


def _amounts(table: TomlReader) -> dict[str, Bounded]:
    found = {key: table.amount(key, default=default) for key, default in _ECONOMICS.items()}
    for key in _CHOSEN:
        if found[key].ranged:
            table.refuse(key, table.values[key], "one number: it is chosen, not uncertain")
    return found


def _cluster(table: TomlReader, catalogue: Mapping[str, Hardware]) -> Cluster:
    sharding = table.text("sharding", default="optimizer", choices=[each.value for each in Sharding])
    cluster = Cluster(
        place=_named(table, catalogue), devices=table.whole("devices"), sharding=Sharding(sharding)
    )
    table.close()
    return cluster


def _place(table: TomlReader, catalogue: Mapping[str, Hardware]) -> Place:
    place = _named(table, catalogue)
    table.close()
    return place


def _named(table: TomlReader, catalogue: Mapping[str, Hardware]) -> Place:
    name = table.text("machine", choices=list(catalogue))
    precision = table.text("precision", choices=list(PRECISIONS))
    hardware = catalogue[name]
    if precision not in hardware.peaks:
        table.refuse("precision", precision, f"one that {name} has: {', '.join(hardware.peaks)}")
        precision = next(iter(hardware.peaks))
    return Place(hardware=hardware, precision=precision)


def _stages(root: TomlReader, outputs: int) -> tuple[StagePlan, ...]:
    tables = root.tables("stages")
    stages = tuple(_stage(table, outputs) for table in tables)
    names = [stage.model.name for stage in stages]
    for table, name in zip(tables, names, strict=True):
        if names.count(name) > 1:
            table.refuse("name", name, "a name that no other stage has")
    return stages


def _stage(table: TomlReader, outputs: int) -> StagePlan:
    stage = StagePlan(
        model=ModelPlan(name=table.text("name"), shape=_shape(table, outputs)),
        epochs=table.amount("epochs", above=0),
        batch=table.whole("batch"),
    )
    table.close()
    return stage


def _direct(table: TomlReader, last: StagePlan) -> StagePlan:
    direct = StagePlan(
        model=last.model,
        epochs=table.amount("epochs", above=0) if table.has("epochs") else last.epochs,
        batch=table.whole("batch", default=last.batch),
    )
    table.close()
    return direct


def _shape(table: TomlReader, outputs: int) -> TransformerShape:
    """A BERT-like encoder, or with `kind = "decoder"` a Llama-like language model."""
    decoder = table.text("kind", default="encoder", choices=("encoder", "decoder")) == "decoder"
    width, heads, vocabulary = table.whole("width"), table.whole("heads"), table.whole("vocabulary")
    groups = table.whole("key_value_heads", default=heads)
    if width % heads or heads % groups:
        table.refuse("heads", heads, f"a divisor of width ({width}) that key_value_heads ({groups}) divide")
    return TransformerShape(
        layers=table.whole("layers"),
        width=width,
        heads=heads,
        intermediate=table.whole("intermediate", default=4 * width),
        vocabulary=vocabulary,
        outputs=vocabulary if decoder else outputs,
        positions=table.whole("positions", default=0 if decoder else 512, at_least=0),
        key_value_heads=groups,
        gated=decoder,
        bias=not decoder,
        norm_parts=1 if decoder else 2,
        tied=decoder and table.flag("tied", default=True),
        per_token=decoder,
    )
