"""The money page: the plan, the forecast beside what happened, and the savings of the traffic so far."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from coffey.core.clock import Clock, monotonic, stamp
from coffey.core.errors import MissingExtra
from coffey.core.records import JsonObject
from coffey.economics.saved import Saved, saved_so_far
from coffey.project.reporting import kept_result, result_stamp
from coffey.project.workspace import Workspace
from coffey.registry.protocol import CHAMPION

if TYPE_CHECKING:
    from coffey.traffic.volume import Volume

_COUNT_EVERY_S = 15.0
_DAY_S = 86_400.0


class MoneySource:
    """Counts the log's requests every quarter of a minute; never reads one."""

    def __init__(self, space: Workspace, *, clock: Clock = monotonic) -> None:
        """Read nothing yet.

        Raises:
            MissingExtra: pyarrow is not installed.
        """
        try:
            from coffey.traffic.volume import Counted
        except ModuleNotFoundError as exc:
            raise MissingExtra("coffey dash", "watch", exc.name or "pyarrow") from exc
        self._space = space
        self._counted = Counted(space.store)
        self._clock = clock
        self._volume: Volume | None = None
        self._counted_s: float | None = None

    def token(self) -> Hashable:
        """Of the results' files, the registry, and what was counted last."""
        if self._counted_s is None or self._clock() - self._counted_s >= _COUNT_EVERY_S:
            self._volume, self._counted_s = self._counted.volume(), self._clock()
        files = tuple(result_stamp(self._space, kind) for kind in ("plan", "reconcile"))
        return files, self._space.registry.state_token(), self._volume

    def read(self) -> JsonObject:
        """`plan` and `forecast_vs_actual` as they were printed; `saved`, once a champion has served."""
        plan = kept_result(self._space, "plan")
        reconciled = kept_result(self._space, "reconcile") or {}
        return {
            "plan": plan,
            "forecast_vs_actual": reconciled.get("figures", []),
            "saved": None if plan is None else self._saved(plan, reconciled),
        }

    def _saved(self, plan: Mapping[str, Any], reconciled: Mapping[str, Any]) -> JsonObject | None:
        volume, began = self._volume, self._first_promotion()
        if volume is None or began is None or volume.last_unix_s <= max(began, volume.first_unix_s):
            return None
        run_usd, origin = _run_usd(plan, reconciled)
        saved = saved_so_far(
            {name: figure["value"] for name, figure in plan["figures"].items()},
            days=(volume.last_unix_s - began) / _DAY_S,
            requests_per_day=volume.requests / volume.days,
            run_usd=run_usd,
        )
        return {**_said(saved), **_span(volume), "run_origin": origin}

    def _first_promotion(self) -> float | None:
        events = self._space.registry.events()
        return next((event.unix_s for event in events if event.moves.get(CHAMPION)), None)


def _run_usd(plan: Mapping[str, Any], reconciled: Mapping[str, Any]) -> tuple[float, str]:
    rows = [row for row in reconciled.get("figures", []) if row["name"] == "run_usd"]
    return (rows[0]["actual"], "as it came to") if rows else (plan["run_usd"], "as planned")


def _said(saved: Saved) -> JsonObject:
    left = {"saved_usd": saved.saved_usd, "net_usd": saved.net_usd, "days_left": saved.days_left}
    return {**asdict(saved), **left}


def _span(volume: Volume) -> JsonObject:
    return {
        "requests": volume.requests,
        "first": stamp(volume.first_unix_s),
        "last": stamp(volume.last_unix_s),
    }
