"""`coffey report`: one page with everything that was done so far."""

from __future__ import annotations

from rich.text import Text

from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit


def report(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Draw the last plan, distillation, bench and audits into one self-contained HTML page."""
    with opened(config) as project:
        path = project.report()
    emit({"report": str(path)}, as_json, lambda said: Text(said["report"]))
