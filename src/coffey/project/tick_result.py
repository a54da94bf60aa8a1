"""What `tick` returns in Python: what `--json` prints, and shown for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from coffey.control.tick import TickReport
from coffey.dashboard.plain import plain
from coffey.project.shown import Shown

if TYPE_CHECKING:
    from coffey.dashboard.page import Page


@dataclass(frozen=True, slots=True, repr=False)
class TickResult(Shown, TickReport):
    """A tick."""

    @classmethod
    def of(cls, report: TickReport) -> TickResult:
        """The same tick, shown."""
        return cls(**{field.name: getattr(report, field.name) for field in fields(report)})

    def page(self) -> Page:
        """The dashboard's page of the contract, as this tick saw it."""
        from coffey.dashboard.live.pages.contract import contract_page
        from coffey.project.board.contract import point_of

        agreement = self.agreement
        seen: dict[str, Any] = {
            "champion": self.champion,
            "decision": plain(self.decision),
            "agreement": plain(agreement),
            "audits": agreement.audits if agreement else 0,
            "unlabelled": self.unlabelled,
            "drift": plain(self.drift),
        }
        if agreement:
            seen["watch"] = {
                "series": [point_of(point) for point in agreement.series],
                "threshold_log": agreement.log_threshold,
                "alarm_index": agreement.alarm_index,
            }
        return replace(contract_page(seen), verdict=self.decision.reason)

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """What was known at each audit since the promotion."""
        from coffey.project.board.contract import point_of

        return [point_of(point) for point in self.agreement.series] if self.agreement else []
