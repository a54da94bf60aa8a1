"""What `plan` and `bench` return in Python: what `--json` prints, and shown for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from coffey.project.shown import Shown

if TYPE_CHECKING:
    from coffey.dashboard.page import Page


class PlanResult(Shown, dict[str, Any]):
    """A plan; its keys are those of `coffey plan --json`."""

    __slots__ = ()

    def page(self) -> Page:
        """The page of `coffey plan`."""
        from coffey.dashboard.reports import plan_page

        return plan_page(self)

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The candidates."""
        return [_without(one, "checks") for one in (self.get("frontier") or {}).get("candidates", ())]


class BenchOutcome(Shown, dict[str, Any]):
    """A bench; its keys are those of `coffey bench --json`."""

    __slots__ = ()

    def page(self) -> Page:
        """The page of `coffey bench`."""
        from coffey.dashboard.reports import bench_page

        return bench_page(self)

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Each way in which a model was timed."""
        return [_without(one, "sample_ms") for one in (*self["latencies"], *self["curve"])]


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
