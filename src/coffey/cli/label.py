"""`coffey label`: ask the teacher for what the label store lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType

from coffey.cli.drawing import facts
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.dashboard import figures

if TYPE_CHECKING:
    from coffey.project.labelling import LabelResult
    from coffey.project.transfer import DataReport
    from coffey.teacher.calibration import Calibration


def label(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Ask the teacher for what the label store lacks; killed and run again, it goes on where it was."""
    with opened(config) as project:
        result = project.label()
    emit(result, as_json, draw)


def draw(result: LabelResult) -> RenderableType:
    """What was asked, what was there, what it cost."""
    data = result.data
    return facts(
        [
            ("answers", f"{result.labels:,} to learn from{_made(data)}, {result.holdout:,} held out"),
            *skipped_row(result),
            ("asked now", f"{result.asked:,} in {figures.seconds(result.seconds)}"),
            (
                "cost",
                "no price configured"
                if result.usd is None
                else f"{figures.usd(result.usd)} ({result.usd_note})",
            ),
            (
                "asked again",
                f"{result.rechecked} of the kept answers; largest difference {result.largest_difference:.2g}",
            ),
            (
                "removed",
                f"{data.leaking_exact + data.leaking_near} transfer rows that (nearly) stand in the holdout",
            ),
            ("skipped", f"{data.bad_rows} bad rows, {data.duplicates} duplicates"),
            ("calibration", calibration_words(result.calibration)),
            ("digest", result.digest),
        ]
    )


def _made(data: DataReport) -> str:
    return f" ({data.augmented:,} of them made from the transfer set)" if data.augmented else ""


def calibration_words(found: Calibration | None) -> str:
    """Whether the teacher's confidence can be believed, and what is done about it."""
    if found is None:
        return "not measured: too few labelled rows outside the holdout, or many labels a text"
    points = f"expected calibration error {found.error:.3f} on {found.rows:,} labelled rows"
    if not found.corrected:
        return f"{points}; left alone"
    return f"{points}; {found.error_fitted:.3f} at temperature {found.temperature:.2f}, which is applied"


def skipped_row(result: LabelResult) -> list[tuple[str, str]]:
    """A row that says how many inputs have no answer, where there are any."""
    if not result.skipped:
        return []
    return [("left out", f"{result.skipped:,} inputs that the teacher gave no usable answer to")]
