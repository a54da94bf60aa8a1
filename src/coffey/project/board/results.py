"""Pages of what commands printed last: the chain of `distill`, the latencies of `bench`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coffey.core.clock import stamp
from coffey.core.records import JsonObject
from coffey.project.reporting import kept_result, result_stamp
from coffey.project.workspace import Workspace
from coffey.registry.version import Version


class ChainSource:
    """The last distillation, and the versions that were re-distilled from another."""

    def __init__(self, space: Workspace) -> None:
        """Read nothing yet."""
        self._space = space

    def token(self) -> Hashable:
        """Of the results' files and the registry."""
        kinds = ("distill", "bench")
        return *(result_stamp(self._space, kind) for kind in kinds), self._space.registry.state_token()

    def read(self) -> JsonObject:
        """`distill`: as it was printed, with what `bench` timed of the same artifact; `repairs`."""
        made = kept_result(self._space, "distill")
        versions = self._space.registry.versions()
        names = {version.digest: version.name for version in versions}
        repairs = [_repair(version, names) for version in versions if version.lineage.get("previous")]
        return {"distill": made and {**_timed(self._space, made), **made}, "repairs": repairs}


class LatencySource:
    """The last bench."""

    def __init__(self, space: Workspace) -> None:
        """Read nothing yet."""
        self._space = space

    def token(self) -> Hashable:
        """Of the result's file."""
        return result_stamp(self._space, "bench")

    def read(self) -> JsonObject:
        """`bench`: as it was printed."""
        return {"bench": kept_result(self._space, "bench")}


def _timed(space: Workspace, made: Mapping[str, Any]) -> Mapping[str, Any]:
    timed = kept_result(space, "bench")
    if timed is None or Path(timed["artifact"]).name != Path(made["artifact"]).name:
        return {}
    return {key: timed[key] for key in ("latency", "latency_ratio")}


def _repair(version: Version, names: Mapping[str, str]) -> JsonObject:
    previous = str(version.lineage["previous"])
    contract = version.contract
    return {
        "name": version.name,
        "previous": names.get(previous, previous[:12]),
        "created": stamp(version.created_unix_s),
        "promised": asdict(contract.agreement) if contract else None,
        "measured_on": contract.measured_on if contract else None,
    }
