"""`coffey tick`: one idempotent step of audit and control, for cron or any scheduler."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import facts
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.dashboard import figures

if TYPE_CHECKING:
    from coffey.control.tick import TickReport
    from coffey.monitor.agreement import AgreementReport
    from coffey.stats.paired_sequence import Comparison


def tick(
    config: Config = DEFAULT_CONFIG,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing, ask nobody.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compact the traffic log, ask the teacher for the audits, decide, and re-distill when that is due."""
    with opened(config) as project:
        if dry:
            from coffey.project.ticking import dry_tick

            found = dry_tick(project.workspace)
            said = {**as_object(found.report), "would": found.would}
            emit(said, as_json, lambda _: Group(draw(found.report), _draw_steps(found.would)))
            return
        report = project.tick()
    emit(as_object(report), as_json, lambda _: draw(report))


def as_object(report: TickReport) -> dict[str, object]:
    """What `--json` prints of a tick."""
    return {**asdict(report), "alarm": report.alarm}


def _draw_steps(would: tuple[str, ...]) -> RenderableType:
    lines = [f"  {number}. {step}" for number, step in enumerate(would, 1)]
    return Text("\n".join(["A tick would now:", *lines] if lines else ["A tick would do nothing more."]))


def _evidence(agreement: AgreementReport) -> str:
    """How near the alarm is, and how often one comes while the contract is kept."""
    logs = f"{agreement.log_evidence:.1f} of {agreement.log_threshold:.1f} (natural logarithms)"
    often = f"a false alarm in {agreement.average_run_length:,.0f} audits at most"
    rate = agreement.audits_per_day
    if rate is None:
        return f"{logs}; {often}"
    days = f"{agreement.average_run_length / rate:,.4g} days at {rate:,.4g} audits a day"
    return f"{logs}; {often}, {days}"


def _looked_back(found: Comparison) -> str:
    """What is known of the previous champion against this one."""
    return (
        f"gain {figures.interval(found.gain)}, {found.verdict.value}; differs in "
        f"{figures.percent(found.differing)} of {found.requests:,} requests, {found.asked:,} asked"
    )


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
    if report.unlabelled:
        said = f"{report.skipped:,} now, {report.unlabelled:,} in all; the teacher gave no usable answer"
        rows.append(("not audited", said))
    if agreement:
        rows.append(("agreement", figures.interval(agreement.overall)))
        rows.append(("evidence", _evidence(agreement)))
        rows.append(("alarm", "yes" if report.alarm else "no"))
    if report.drift:
        rows.append(("drift", report.drift.sentence))
    if report.slices:
        rows.append(("slices", report.slices.sentence))
    if report.looked_back:
        rows.append(("previous champion", _looked_back(report.looked_back)))
    if mended:
        rows.append(("re-distilled", mended.decision.reason))
        if mended.before and mended.after:
            rows.append(
                ("fresh agreement", f"{figures.interval(mended.before)} → {figures.interval(mended.after)}")
            )
    return facts(rows)
