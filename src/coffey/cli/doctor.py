"""`coffey doctor`: what is missing or misconfigured here, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config
from coffey.cli.output import emit

if TYPE_CHECKING:
    from coffey.project.finding import Finding

_MARKS = {True: ("ok", "green"), False: ("no", "bold red"), None: ("?", "yellow")}


def doctor(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Check configuration, teacher, data, store, disk and threads."""
    from coffey.project.doctor import examine
    from coffey.project.wiring import build_teacher

    path = config.resolve()
    findings = examine(path, build_teacher=lambda settings: build_teacher(settings, path.parent))
    sound = all(finding.ok is not False for finding in findings)
    said: dict[str, Any] = {"ok": sound, "findings": list(findings)}
    emit(said, as_json, lambda result: draw(result["findings"]))
    if not sound:
        raise typer.Exit(2)


def draw(findings: Sequence[Finding]) -> RenderableType:
    """One line a finding, with how to mend it below."""
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        mark, style = _MARKS[finding.ok]
        table.add_row(Text(mark, style=style), Text(finding.name), Text(finding.detail))
        if finding.mend:
            table.add_row("", "", Text(f"→ {finding.mend}", style="bold"))
    return table
