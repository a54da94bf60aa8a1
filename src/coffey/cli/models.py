"""`coffey models`: what is live and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from coffey.cli.drawing import figure_table
from coffey.cli.options import DEFAULT_CONFIG, AsJson, Config, opened
from coffey.cli.output import emit
from coffey.core.clock import stamp
from coffey.dashboard import figures

if TYPE_CHECKING:
    from coffey.project.models import ModelsResult


def models(config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List versions, where the aliases point, and what moved them."""
    with opened(config) as project:
        result = project.models()
    emit(result, as_json, draw)


def draw(result: ModelsResult) -> RenderableType:
    """Versions with their promise, then the log."""
    if not result.versions:
        return Text("No model yet. Run: coffey distill")
    points = {name: alias for alias, name in result.aliases.items()}
    versions = [
        (
            version.name,
            points.get(version.name, ""),
            version.digest[:12],
            figures.interval(version.contract.agreement) if version.contract else "",
            version.contract.measured_on if version.contract else "",
        )
        for version in result.versions
    ]
    log = [
        (
            figures.moment(stamp(event.unix_s)),
            event.kind,
            event.version
            or ", ".join(f"{alias} → {name or 'nothing'}" for alias, name in event.moves.items()),
            event.who,
            str(event.evidence.get("reason") or event.evidence.get("gate") or ""),
        )
        for event in result.events
    ]
    return Group(
        figure_table(
            ("version", "alias", "digest", "promised agreement", "measured on"),
            versions,
            words=frozenset({0, 1, 2, 4}),
        ),
        figure_table(("when", "event", "what", "who", "why"), log, words=frozenset({0, 1, 2, 3, 4})),
    )
