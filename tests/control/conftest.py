"""Traffic that drifted, and what a tick made of it; each made once a session."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def drifted(distilled, tmp_path_factory):
    """A champion that was healthy, and then got texts it cannot judge; no tick has seen those yet."""
    project = distilled.copy(tmp_path_factory.mktemp("drifted") / "project")
    project.serve(project.known(200, seed=5))
    assert project.load().tick().decision.kind.value == "healthy"
    project.serve(project.new(500, seed=6))
    return project


@pytest.fixture(scope="session")
def mended(drifted, tmp_path_factory):
    """`project` after the tick that saw the drift, `report` of that tick. Look, do not touch."""
    project = drifted.copy(tmp_path_factory.mktemp("mended") / "project")
    return SimpleNamespace(project=project, report=project.load().tick())
