"""The synthetic results and the pages that are drawn from them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from coffey.dashboard.reports import bench_report, demo_report, distill_report, plan_report

REPORTS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "plan": plan_report,
    "distill": distill_report,
    "bench": bench_report,
    "demo": demo_report,
}


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dashboard_sample", Path(__file__).with_name("sample.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=sorted(REPORTS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def report(kind: str) -> Callable[[Mapping[str, object]], str]:
    return REPORTS[kind]
