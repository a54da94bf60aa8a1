"""`coffey tick`: one idempotent step of audit and control, for cron or any scheduler."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import RenderableType

from coffey.cli.drawing import facts
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.dashboard import figures

if TYPE_CHECKING:
    from coffey.control.tick import TickReport


def tick(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Compact the traffic log, ask the teacher for the audits, decide, and re-distill when that is due."""
    with opened(config) as project:
        report = project.tick()
    said = {**asdict(report), "alarm": report.alarm}
    emit(said, as_json, lambda _: draw(report))


def draw(report: TickReport) -> RenderableType:
    """The decision with its numbers, and what was done about it."""
    agreement, mended = report.agreement, report.redistilled
    rows = [
        ("decision", report.decision.kind.value),
        ("reason", report.decision.reason),
        ("champion", report.champion or "none"),
        ("requests", f"{report.requests:,} since promotion"),
        ("audited", f"{report.audited:,} now" + (f", {agreement.audits:,} in all" if agreement else "")),
    ]
    if agreement:
        rows.append(("agreement", figures.interval(agreement.overall)))
        rows.append(("alarm", "yes" if report.alarm else "no"))
    if report.drift:
        rows.append(("drift", report.drift.sentence))
    if mended:
        rows.append(("re-distilled", mended.decision.reason))
        rows.append(
            ("fresh agreement", f"{figures.interval(mended.before)} → {figures.interval(mended.after)}")
        )
    return facts(rows)
