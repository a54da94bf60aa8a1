"""Plan inputs and settings that the tests of this room vary."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coffey.core.records import Figure, Machine
from coffey.core.settings import (
    CostSettings,
    DataSettings,
    EconomicsSettings,
    ProjectSettings,
    Settings,
    TeacherSettings,
)
from coffey.economics.figures import configured
from coffey.economics.inputs import PlanInputs, StageCost
from coffey.economics.probe_result import ProbeResult, StageProbe, TeacherProbe


def figure(value: float) -> Figure:
    return configured(value, "unit", "test")


def build_inputs(**values: float | None) -> PlanInputs:
    """A teacher at 0.05 USD per 1,000 and a student on a machine, with any figure replaced."""
    given: dict[str, float | None] = {
        "requests_per_day": 5_000_000,
        "horizon_days": 365,
        "peak_to_mean": 2,
        "replicas": 1,
        "audits_per_day": 1000,
        "transfer_rows": 20_000,
        "teacher_usd_per_1k": 0.05,
        "student_usd_per_hour": 0.17,
        "student_rps": 500,
        "training_usd_per_hour": 0.17,
        "controls_share": 0,
        "people_hours": 8,
        "people_usd_per_hour": 100,
        **values,
    }
    figures = {name: None if value is None else figure(value) for name, value in given.items()}
    stages = (StageCost("2M", figure(1000), figure(0.1)), StageCost("700K", figure(1000), figure(0.05)))
    return PlanInputs(stages=stages, **figures)  # type: ignore[arg-type]


def build_hosted(**values: float | None) -> PlanInputs:
    """The same with a teacher on machines at 1.20 USD an hour."""
    hosted = {
        "teacher_usd_per_1k": None,
        "teacher_usd_per_hour": 1.2,
        "teacher_texts_per_s": 100.0,
        "teacher_rps": 20.0,
        "teacher_int8_speedup": 2.0,
    }
    return build_inputs(**{**hosted, **values})


@pytest.fixture
def priced() -> Callable[..., PlanInputs]:
    return build_inputs


@pytest.fixture
def hosted() -> Callable[..., PlanInputs]:
    return build_hosted


@pytest.fixture
def settings() -> Callable[..., Settings]:
    def build(*, cost: CostSettings | None = None, **economics: float) -> Settings:
        return Settings(
            project=ProjectSettings(name="test"),
            teacher=TeacherSettings(kind="python", source="a:b", cost=cost or CostSettings()),
            data=DataSettings(transfer="a.jsonl", holdout="b.jsonl"),
            economics=EconomicsSettings(**economics),  # type: ignore[arg-type]
        )

    return build


@pytest.fixture
def probe() -> ProbeResult:
    teacher = TeacherProbe(
        texts=64, p50_ms=20.0, p99_ms=30.0, texts_per_s=80.0, batch_size=32, self_agreement=1.0,
        usd_per_1k=0.004, int8_speedup=0.9,
    )  # fmt: skip
    stages = tuple(
        StageProbe(
            name=name, params=1000, params_without_embeddings=500, size_bytes=4000, variant="int8",
            p50_ms=1.0, p99_ms=2.0, texts_per_s=1500.0, step_s=0.05, step_batch_size=32,
        )
        for name in ("7M", "2M", "700K")
    )  # fmt: skip
    return ProbeResult(
        machine=Machine("test", 2, 4.0, "linux", "3.11"), teacher=teacher, stages=stages, seconds=1.0
    )
